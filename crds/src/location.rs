//! Places outside of the pipeline's storage, as their URIs name them: objects of S3 and tables of PostgreSQL.
//!
//! The operator refuses with it what the worker could not open. Must not: resolve or open anything.

/// Objects of one bucket: `s3://BUCKET/KEY`. The key is taken as it is written, without any decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectLocation {
    /// The bucket.
    pub bucket: String,
    /// The key, in which `*` may stand for any part of a name; it ends with `/` where it names a folder.
    pub key: String,
}

/// A table of a database: `postgres://HOST[:PORT]/DATABASE/[SCHEMA.]TABLE`. In names, `%2E` is a dot, `%2F` a slash, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLocation {
    /// The host's name or address; an IPv6 address without its brackets.
    pub host: String,
    /// The port; 5432 where the URI has none.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The schema; `public` where the URI has none.
    pub schema: String,
    /// The table.
    pub table: String,
}

/// A text that names no such place: what is wrong with it. It repeats nothing of the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LocationError(&'static str);

const CREDENTIALS: LocationError = LocationError(
    "the uri holds a user name or a password, and everybody who may read the pipeline would read it; take out all before the @, and name a Secret in secret",
);

impl ObjectLocation {
    /// Reads the URI of an object, or of objects by a pattern.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(uri: &str) -> Result<Self, LocationError> {
        let form = LocationError("it is not of the form s3://BUCKET/KEY");
        let (bucket, key) = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or(form)?;
        if bucket.contains('@') {
            return Err(CREDENTIALS);
        }
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(fits) {
            return Err(LocationError(
                "it names no bucket: that has 3 to 63 lower-case letters, digits, dots and hyphens",
            ));
        }
        let path = key.strip_suffix('/').unwrap_or(key);
        if key.is_empty() || key.len() > 1024 {
            return Err(LocationError("its key is empty, or longer than 1024 bytes"));
        }
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) || key.contains(char::is_control) {
            return Err(LocationError(
                "its key has an empty part, a part that is . or .., or a control character",
            ));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl TableLocation {
    /// Reads the URI of a table.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(uri: &str) -> Result<Self, LocationError> {
        let form = LocationError("it is not of the form postgres://HOST[:PORT]/DATABASE/[SCHEMA.]TABLE");
        let rest = uri.strip_prefix("postgres://").ok_or(form)?;
        let (authority, path) = rest.split_once('/').ok_or(form)?;
        if authority.contains('@') {
            return Err(CREDENTIALS);
        }
        if path.contains(['?', '#']) {
            return Err(LocationError(
                "options after ? or # are not read; user name, password and ca.crt are in the Secret that secret names",
            ));
        }
        let (host, port) = host_and_port(authority)?;
        let (database, table) = path.split_once('/').ok_or(form)?;
        let (schema, table) = table.split_once('.').unwrap_or(("public", table));
        if table.contains(['/', '.']) {
            return Err(LocationError("a dot or slash in a name is written %2E or %2F"));
        }
        Ok(Self { host, port, database: name(database)?, schema: name(schema)?, table: name(table)? })
    }
}

fn host_and_port(authority: &str) -> Result<(String, u16), LocationError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(six) => {
            let (host, rest) = six.split_once(']').ok_or(LocationError("it names no host"))?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').unwrap_or_default()) };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    if host.is_empty() || host.len() > 253 || !host.bytes().all(fits) {
        return Err(LocationError("it names no host"));
    }
    let port = port.map_or(Some(5432), |port| port.parse().ok().filter(|port| *port > 0));
    Ok((host.to_owned(), port.ok_or(LocationError("its port is not between 1 and 65535"))?))
}

/// A name of the database's, with its %XX decoded. PostgreSQL cuts names off at 63 bytes, which would be another name.
fn name(text: &str) -> Result<String, LocationError> {
    let wrong = LocationError("a name in it is empty, longer than 63 bytes, or has a wrong % sign");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let byte;
        (byte, rest) = match (first, behind) {
            (b'%', [high, low, behind @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let value = digit(high).zip(digit(low)).map(|(high, low)| high * 16 + low);
                (value.and_then(|value| u8::try_from(value).ok()).ok_or(wrong)?, behind)
            }
            (b'%', _) => return Err(wrong),
            (plain, behind) => (*plain, behind),
        };
        bytes.push(byte);
    }
    let name = String::from_utf8(bytes).map_err(|_| wrong)?;
    let fits = !name.is_empty() && name.len() <= 63 && !name.contains('\0');
    if fits { Ok(name) } else { Err(wrong) }
}

/// The schemes of URIs that rows are read from, and that results are delivered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriScheme {
    /// A path on the pipeline's volume.
    File,
    /// HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// An object of S3, or of a store that speaks its protocol.
    S3,
    /// A table of PostgreSQL.
    Postgres,
}

impl UriScheme {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Http, Self::Https, Self::S3, Self::Postgres, Self::File];

    /// The scheme of a URI, if it is one of these.
    #[must_use]
    pub fn of(uri: &str) -> Option<Self> {
        let (name, _) = uri.split_once(':')?;
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The name, as in URIs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Http => "http",
            Self::Https => "https",
            Self::S3 => "s3",
            Self::Postgres => "postgres",
        }
    }

    /// How such a URI is written, for messages.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::File => "file:PATH",
            Self::Http => "http://…",
            Self::Https => "https://…",
            Self::S3 => "s3://…",
            Self::Postgres => "postgres://…",
        }
    }

    /// Whether results can be delivered to such a URI.
    #[must_use]
    pub const fn takes_results(self) -> bool {
        !matches!(self, Self::File)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_or_refused() {
        let read = |uri: &str| ObjectLocation::parse(uri).map(|location| (location.bucket, location.key));
        let is = |bucket: &str, key: &str| Ok((bucket.to_owned(), key.to_owned()));
        assert_eq!(read("s3://raw/orders.csv"), is("raw", "orders.csv"));
        assert_eq!(read("s3://raw.data-1/a b/*/c?d#e%20.csv"), is("raw.data-1", "a b/*/c?d#e%20.csv"));
        assert_eq!(read("s3://out/predictions/"), is("out", "predictions/"));
        for wrong in [
            "s3://raw",
            "s3://raw/",
            "s3:///a",
            "s3:raw/a",
            "s3://RAW/a",
            "s3://ra/a",
            "s3://raw//a",
            "s3://raw/a/../b",
            "s3://raw/a//",
            "s3://me:pw@raw/a",
            "s3://raw/a\nb",
            "http://raw/a",
            "",
        ] {
            assert!(ObjectLocation::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tables_are_read_or_refused() {
        let read = |uri: &str| {
            let location = TableLocation::parse(uri)?;
            let TableLocation { host, port, database, schema, table } = location;
            Ok(format!("{host} {port} {database} {schema} {table}"))
        };
        let is = |text: &str| Ok::<_, LocationError>(text.to_owned());
        assert_eq!(read("postgres://db/shop/orders"), is("db 5432 shop public orders"));
        assert_eq!(read("postgres://10.0.0.1:6000/shop/sales.orders"), is("10.0.0.1 6000 shop sales orders"));
        assert_eq!(read("postgres://[::1]:6000/s%2Fp/a%2Eb.%C3%A9"), is("::1 6000 s/p a.b é"));
        assert_eq!(read("postgres://[::1]/shop/Or ders"), is("::1 5432 shop public Or ders"));
        for wrong in [
            "postgres://db",
            "postgres://db/shop",
            "postgres://db/shop/",
            "postgres:///shop/orders",
            "postgres://db:0/s/t",
            "postgres://db:x/s/t",
            "postgres://[::1/s/t",
            "postgres://[::1]6000/s/t",
            "postgres://db/s/a.b.c",
            "postgres://db/s/t?sslmode=off",
            "postgres://me:pw@db/s/t",
            "postgres://db/s/%zz",
            "postgres://db/s/%2",
            "postgres://db/s/%ff",
            "postgres://db/s/t%00",
            "postgresql://db/s/t",
            "postgres://db/s/t/u",
        ] {
            assert!(TableLocation::parse(wrong).is_err(), "{wrong}");
        }
        let long = format!("postgres://db/s/{}", "t".repeat(64));
        assert!(TableLocation::parse(&long).is_err());
    }
}
