//! Which variables of somebody else's pipeline may reach programs of this machine: the worker, and the tool that starts containers.
//!
//! In a cluster a variable reaches a container alone. Here it would also reach what loads programs, finds them, or tells a container tool
//! which machine to work on. The list holds names that are known; so that others reach no tool either, a container's variables go by a
//! file (`variables_file.rs`).

/// What such names begin with: of the loader and of libc, of shells, of container tools and the runtimes and libraries that they are made
/// of.
const PREFIXES: [&str; 28] = [
    "BASH",
    "BUILDAH_",
    "BUILDKIT_",
    "BUILDX_",
    "CNI_",
    "COMPOSE_",
    "CONTAINER",
    "DBUS_",
    "DOCKER",
    "DYLD_",
    "GCONV_",
    "GIT_",
    "GLIBC_",
    "GO",
    "LD_",
    "LISTEN_",
    "LIBPOD_",
    "MALLOC_",
    "NETAVARK_",
    "OPENSSL_",
    "OTEL_",
    "PODMAN",
    "REGISTR",
    "SSH_",
    "SSL_CERT_",
    "STORAGE_",
    "XDG_",
    "_",
];

/// Names of one program or library each.
const NAMES: [&str; 26] = [
    "ALL_PROXY",
    "CDPATH",
    "ENV",
    "GNUPGHOME",
    "HOME",
    "HOSTALIASES",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IFS",
    "IPTABLES_LIB_DIR",
    "LLVM_PROFILE_FILE",
    "LOCALDOMAIN",
    "LOCPATH",
    "MLPIPELINE_SCRATCH",
    "NLSPATH",
    "NOTIFY_SOCKET",
    "NO_PROXY",
    "PATH",
    "POSIXLY_CORRECT",
    "PS4",
    "RES_OPTIONS",
    "SHELL",
    "SHELLOPTS",
    "TMPDIR",
    "USER",
    "XTABLES_LIBDIR",
];

/// Why a variable of the pipeline's files is not set here, where it is not.
pub(super) fn refusal(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let reaches_programs =
        PREFIXES.iter().any(|prefix| upper.starts_with(prefix)) || NAMES.contains(&upper.as_str());
    if reaches_programs {
        return Some(format!(
            "the variable {name} would reach programs of this machine, so it is not taken from the pipeline's files; set it with --env-file if \
             you trust it, whose value holds in place of theirs"
        ));
    }
    // Container tools take NAME* for all variables whose names begin so, and NAME=VALUE for a value.
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let begins_well = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
    (!is_plain || !begins_well).then(|| {
        format!(
            "{name:?} is not set here as the name of a variable: on a machine of your own it begins with a letter and has letters, digits, _, . \
             and - only; apply the pipeline to a cluster, or rename it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loads_finds_or_leads_programs_is_refused_and_so_are_patterns_of_names() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "GLIBC_TUNABLES",
            "GCONV_PATH",
            "PATH",
            "HOME",
            "TMPDIR",
            "DOCKER_HOST",
            "DOCKER_CONFIG",
            "CONTAINER_HOST",
            "CONTAINERS_CONF",
            "GODEBUG",
            "http_proxy",
            "SSL_CERT_FILE",
            "REGISTRY_AUTH_FILE",
            "XDG_CONFIG_HOME",
            "STORAGE_OPTS",
            "STORAGE_DRIVER",
            "SHELLOPTS",
            "BASH_ENV",
            "PS4",
            "OPENSSL_CONF",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "REGISTRIES_CONFIG_PATH",
            "BUILDKIT_HOST",
            "XTABLES_LIBDIR",
            "IPTABLES_LIB_DIR",
            "GNUPGHOME",
        ] {
            let refused = refusal(name).expect(name);
            assert!(refused.contains(name) && refused.contains("--env-file"), "{refused}");
        }
        for name in ["AWS_*", "*", "", "-v", "1A", "A B", "A\nB", "A=B", "é"] {
            assert!(refusal(name).is_some(), "{name:?}");
        }
        for name in [
            "TOKEN",
            "AWS_ACCESS_KEY_ID",
            "PGSSLMODE",
            "RUST_LOG",
            "LOG_LEVEL",
            "MLPIPELINE_MAX_DOWNLOAD",
            "my.key-1",
            "LANG",
        ] {
            assert_eq!(refusal(name), None, "{name}");
        }
    }
}
