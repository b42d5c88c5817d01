//! Compressed request bodies (`Content-Encoding`, RFC 9110, 8.4).

use std::io::{self, Read};

use axum::http::{HeaderMap, header};
use contracts::{Code, Failure};

use crate::error::Problem;

/// The supported codings, as the value of `Accept-Encoding`.
pub(crate) const ACCEPTED: &str = "gzip, zstd, deflate";
/// The largest number of codings of one body. HTTP allows any number, but more than one is never
/// useful.
const CODINGS_MOST: usize = 2;
/// The largest window of a zstd body, as the exponent of a power of two: 8 MiB, which RFC 9659
/// requires receivers to support.
const ZSTD_WINDOW_LOG: u32 = 23;

/// A coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Zstd,
    Deflate,
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
        }
    }
}

/// The codings in `Content-Encoding`, in the order in which they were applied.
pub(super) fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, Problem> {
    let unknown = Problem::unknown_coding;
    let mut codings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.to_str().map_err(|_| unknown())?.split(',').map(str::trim) {
            match name.to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => codings.push(Coding::Gzip),
                "zstd" => codings.push(Coding::Zstd),
                "deflate" => codings.push(Coding::Deflate),
                _ => return Err(unknown()),
            }
        }
    }
    if codings.len() > CODINGS_MOST { Err(unknown()) } else { Ok(codings) }
}

/// Decompresses a body to at most `most` bytes. This limit also applies between two codings, so
/// that no intermediate result becomes larger.
pub(super) fn decoded(mut body: Vec<u8>, codings: &[Coding], most: usize) -> Result<Vec<u8>, Problem> {
    for coding in codings.iter().rev() {
        let misfit = |_| Failure::field("body", format!("must be {}, whole and undamaged", coding.name()));
        body = decode(&body, *coding, most + 1).map_err(misfit)?;
        if body.len() > most {
            return Err(too_large(most));
        }
    }
    Ok(body)
}

pub(super) fn too_large(most: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("The body must have at most {most} bytes, decompressed."))
}

/// Decompresses one coding, and returns at most the first `most` bytes of the result. The limit is
/// for all gzip members or zstd frames together.
fn decode(body: &[u8], coding: Coding, most: usize) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    let most = most as u64;
    match coding {
        Coding::Gzip => flate2::bufread::MultiGzDecoder::new(body).take(most).read_to_end(&mut decoded)?,
        Coding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(body)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            decoder.take(most).read_to_end(&mut decoded)?
        }
        Coding::Deflate => flate2::bufread::ZlibDecoder::new(body).take(most).read_to_end(&mut decoded)?,
    };
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;
    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).expect("written");
        encoder.finish().expect("gzip")
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).expect("written");
        encoder.finish().expect("zlib")
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        zstd::encode_all(data, 1).expect("zstd")
    }

    fn named(values: &[&str]) -> Option<Vec<Coding>> {
        let value = |value: &&str| (header::CONTENT_ENCODING, HeaderValue::from_str(value).expect("a header"));
        codings(&values.iter().map(value).collect()).ok()
    }

    #[test]
    fn codings_are_named_in_any_case_in_one_header_or_several() {
        use Coding::*;
        assert_eq!(named(&[]), Some(vec![]));
        assert_eq!(named(&["identity"]), Some(vec![]));
        assert_eq!(named(&["GZip"]), Some(vec![Gzip]));
        assert_eq!(named(&["x-gzip"]), Some(vec![Gzip]));
        assert_eq!(named(&["gzip , identity,ZSTD"]), Some(vec![Gzip, Zstd]));
        assert_eq!(named(&["deflate", "gzip"]), Some(vec![Deflate, Gzip]));
        for bad in ["br", "compress", "gzip;q=1", "gzip zstd", "gzip, gzip, gzip"] {
            assert_eq!(named(&[bad]), None, "{bad}");
        }
    }

    #[test]
    fn what_was_compressed_comes_back_from_one_member_several_and_several_codings() {
        use Coding::*;
        let text = b"{\"windows\":[]}".as_slice();
        let back = |body: Vec<u8>, codings: &[Coding]| decoded(body, codings, 100).expect("decoded");
        assert_eq!(back(gzip(text), &[Gzip]), text);
        assert_eq!(back([gzip(&text[..5]), gzip(&text[5..])].concat(), &[Gzip]), text);
        assert_eq!(back(zstd(text), &[Zstd]), text);
        assert_eq!(back([zstd(&text[..5]), zstd(&text[5..])].concat(), &[Zstd]), text);
        assert_eq!(back(zlib(text), &[Deflate]), text);
        assert_eq!(back(zstd(&gzip(text)), &[Gzip, Zstd]), text);
    }

    #[test]
    fn a_body_that_is_damaged_or_too_large_inside_is_refused() {
        use Coding::*;
        let code = |body: Vec<u8>, coding| decoded(body, &[coding], 1_000).expect_err("refused").code();
        for (coding, whole) in [(Gzip, gzip(&[7; 500])), (Zstd, zstd(&[7; 500])), (Deflate, zlib(&[7; 500]))] {
            assert_eq!(code(whole[..whole.len() - 3].to_vec(), coding), Code::Invalid, "{coding:?}, cut off");
            assert_eq!(code(b"{}".to_vec(), coding), Code::Invalid, "{coding:?}, plain");
        }
        let bomb = vec![0; 50_000_000];
        for (coding, bomb) in [(Gzip, gzip(&bomb)), (Zstd, zstd(&bomb)), (Deflate, zlib(&bomb))] {
            assert_eq!(code(bomb, coding), Code::TooLarge, "{coding:?}");
        }
    }
}
