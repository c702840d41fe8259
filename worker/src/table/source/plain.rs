//! Plain files of UTF-8 in place of compressed ones and of ones in other encodings, on scratch.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;

use encoding_rs::{Decoder, DecoderResult};
use mlpipeline_crds::TextEncoding;

use super::gzip::GzipMembers;
use crate::WorkContext;
use crate::failure::StepError;
use crate::network::{Encoding, FetchError, scratch_file};
use crate::table::TableError;
use crate::table::file::{Arrival, LocalFile};

/// The most that a file may grow when it is decompressed, as a multiple of its size. gzip cannot do more than about 1,030; what does
/// is a file made to fill a disk.
const LARGEST_RATIO: u64 = 2_000;

/// What a small file may have in any case once it is decompressed.
const LEAST_LIMIT: u64 = 64 << 20;

/// The bytes that are copied at a time.
const BUFFER: usize = 256 << 10;

/// Decodes what a server encoded on the way, although nobody asked for it.
pub(super) async fn decode(
    file: &mut LocalFile,
    encoding: Encoding,
    context: &WorkContext,
) -> Result<(), StepError> {
    replace(file, context, move |source| {
        Ok(Some(
            match encoding {
                Encoding::Gzip => Stream::Gzip,
                Encoding::Zstd => Stream::Zstd,
            }
            .open(source)?,
        ))
    })
    .await
}

/// Decompresses a file, and converts it to UTF-8. Compression is recognised by the first bytes, so a URL without an extension is
/// as good as any.
pub(super) async fn make_plain(
    file: &mut LocalFile,
    encoding: Option<TextEncoding>,
    context: &WorkContext,
) -> Result<(), StepError> {
    replace(file, context, |source| match compression(source)? {
        Some(stream) => Ok(Some(stream.open(source)?)),
        None => Ok(None),
    })
    .await?;
    let arrival = file.arrival;
    let encoding: &'static encoding_rs::Encoding = match encoding {
        None | Some(TextEncoding::Utf8) => return Ok(()),
        Some(TextEncoding::Utf16) => utf16(file)?,
        Some(TextEncoding::Windows1252) => encoding_rs::WINDOWS_1252,
        Some(TextEncoding::Latin9) => encoding_rs::ISO_8859_15,
        Some(TextEncoding::ShiftJis) => encoding_rs::SHIFT_JIS,
        Some(TextEncoding::Gb18030) => encoding_rs::GB18030,
    };
    replace(file, context, move |source| {
        let open = source.open()?;
        let reader = ToUtf8 {
            input: open,
            // A byte order mark says which of the UTF-16s it is, or that it is UTF-8 after all.
            decoder: encoding.new_decoder(),
            name: encoding.name(),
            pending: Vec::new(),
            ended: false,
            done: false,
        };
        Ok(Some(Box::new(reader) as Box<dyn Read>))
    })
    .await?;
    // Text may end anywhere, whatever its encoding.
    file.arrival = arrival;
    Ok(())
}

/// Which of the UTF-16s a file is. Without a byte order mark, its first signs say it: every table has signs of ASCII, its commas, quotes
/// and line ends at the least, and read in the wrong order they are none.
fn utf16(file: &LocalFile) -> Result<&'static encoding_rs::Encoding, TableError> {
    let first = file.first_bytes(BUFFER)?;
    if first.is_empty() || encoding_rs::Encoding::for_bom(&first).is_some() {
        // The decoder goes by the mark.
        return Ok(encoding_rs::UTF_16LE);
    }
    let (mut little, mut big) = (0_usize, 0_usize);
    for unit in first.as_chunks::<2>().0 {
        match unit {
            [1..0x80, 0] => little += 1,
            [0, 1..0x80] => big += 1,
            _ => {}
        }
    }
    match little.cmp(&big) {
        Ordering::Greater => Ok(encoding_rs::UTF_16LE),
        Ordering::Less => Ok(encoding_rs::UTF_16BE),
        Ordering::Equal => Err(TableError::content(
            &file.name,
            "it has no byte order mark, and its first signs do not say in which order the bytes of its UTF-16 are; is it UTF-16? Save it with a byte order mark, or as UTF-8",
        )),
    }
}

/// Copies what is read of a file to scratch, and lets that take the file's place; nothing where there is nothing to change.
async fn replace(
    file: &mut LocalFile,
    context: &WorkContext,
    open: impl FnOnce(&LocalFile) -> Result<Option<Box<dyn Read>>, TableError> + Send + 'static,
) -> Result<(), StepError> {
    let most = context.network.max_download;
    let target = scratch_file(context.scratch(), "plain");
    let (source, plain) = (file.clone(), target.clone());
    let done = tokio::task::spawn_blocking(move || {
        let Some(reader) = open(&source)? else { return Ok(false) };
        let size = source.open()?.metadata().map_err(TableError::io("inspect", &source.path))?.len();
        let limits = Limits { most, by_ratio: size.saturating_mul(LARGEST_RATIO).max(LEAST_LIMIT) };
        let copied = copy_limited(reader, &plain, limits, &source);
        // What is wrong with a file that changed meanwhile is that it changed.
        source.open().and(copied).map(|()| true).inspect_err(|_| {
            // Half a file is of no use to anybody, and may be large.
            let _ = std::fs::remove_file(&plain);
        })
    })
    .await;
    if done.map_err(|error| TableError::Internal(error.to_string()))?? {
        // What was compressed says itself where it ends.
        let arrival = Arrival { end_is_unknown: false, ..file.arrival };
        *file = LocalFile::own(target, file.name.clone()).arrived(arrival);
    }
    Ok(())
}

/// A compression that is read.
#[derive(Clone, Copy)]
enum Stream {
    Gzip,
    Zstd,
}

impl Stream {
    fn open(self, source: &LocalFile) -> Result<Box<dyn Read>, TableError> {
        let open = BufReader::new(source.open()?);
        Ok(match self {
            Self::Gzip => Box::new(GzipMembers::new(open)),
            Self::Zstd => Box::new(
                zstd::Decoder::with_buffer(open).map_err(TableError::io("decompress", &source.path))?,
            ),
        })
    }
}

/// How a file is compressed, by its first bytes.
fn compression(source: &LocalFile) -> Result<Option<Stream>, TableError> {
    let (first, name) = (source.first_bytes(6)?, source.name.as_str());
    Ok(match first.as_slice() {
        [0x1f, 0x8b, ..] => Some(Stream::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Stream::Zstd),
        // A frame to skip, as pzstd begins with one.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Stream::Zstd),
        [b'P', b'K', 3, 4, ..] => return Err(unsupported(name, "zip")),
        [b'B', b'Z', b'h', ..] => return Err(unsupported(name, "bzip2")),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => return Err(unsupported(name, "xz")),
        _ => None,
    })
}

fn unsupported(name: &str, what: &str) -> TableError {
    TableError::content(name, format!("it is compressed with {what}; gzip and zstd are read"))
}

/// How much a file may have once it is decompressed.
#[derive(Clone, Copy)]
struct Limits {
    /// Whatever its size is.
    most: u64,
    /// By its size.
    by_ratio: u64,
}

fn copy_limited(
    mut reader: Box<dyn Read>,
    target: &PathBuf,
    limits: Limits,
    source: &LocalFile,
) -> Result<(), TableError> {
    let name = source.name.as_str();
    let mut output = File::create(target).map_err(TableError::io("create", target))?;
    let mut buffer = vec![0; BUFFER];
    let mut written = 0_u64;
    loop {
        let read = reader.read(&mut buffer).map_err(|error| {
            // The disk's answer, and not the decoder's.
            if error.raw_os_error().is_some() {
                return TableError::io("read", &source.path)(error);
            }
            let problem = match error.kind() {
                io::ErrorKind::UnexpectedEof if source.arrival.end_is_unknown => {
                    let problem = "cannot be decompressed to its end".to_owned();
                    return FetchError::CutShort { name: name.to_owned(), problem }.into();
                }
                io::ErrorKind::UnexpectedEof => "the file is cut short".to_owned(),
                _ => error.to_string(),
            };
            TableError::content(name, format!("it cannot be decompressed or decoded: {problem}"))
        })?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        written += read as u64;
        if written > limits.most {
            let problem = format!("decompressed it exceeds {} bytes; raise --max-download", limits.most);
            return Err(TableError::content(name, problem));
        }
        if written > limits.by_ratio {
            let problem = format!(
                "decompressed it has more than {LARGEST_RATIO} times its size, as files have that are made to fill a disk; decompress it before, if it is right"
            );
            return Err(TableError::content(name, problem));
        }
        output.write_all(bytes).map_err(TableError::io("write", target))?;
    }
}

/// Text of another encoding as UTF-8. What the encoding does not have is an error, never a replacement character.
struct ToUtf8 {
    input: File,
    decoder: Decoder,
    name: &'static str,
    /// Bytes that were read and not decoded yet.
    pending: Vec<u8>,
    ended: bool,
    /// Whether the decoder has seen the end, after which it must not be asked again.
    done: bool,
}

impl Read for ToUtf8 {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while !self.done {
            if self.pending.is_empty() && !self.ended {
                self.pending.resize(BUFFER, 0);
                let read = self.input.read(&mut self.pending)?;
                self.pending.truncate(read);
                self.ended = read == 0;
            }
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(&self.pending, output, self.ended);
            self.pending.drain(..read);
            match result {
                DecoderResult::Malformed(..) => {
                    let problem = format!("there are bytes that are not {}", self.name);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
                }
                DecoderResult::InputEmpty if written == 0 && !self.ended => {}
                DecoderResult::InputEmpty => {
                    self.done = self.ended;
                    return Ok(written);
                }
                DecoderResult::OutputFull => return Ok(written),
            }
        }
        Ok(0)
    }
}
