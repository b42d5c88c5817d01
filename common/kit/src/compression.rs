use std::{borrow::Cow, cell::RefCell, io};

use async_nats::HeaderMap;
use contracts::header;
use zstd::bulk::{Compressor, decompress};

/// The value of the header [`header::ENCODING`] that marks a compressed payload.
const ZSTD: &str = "zstd";
/// The zstd level, which favours speed: higher levels make a payload of windows only a few percent
/// smaller.
const LEVEL: i32 = 1;
/// A payload of fewer bytes is not compressed, because compression would save too little.
const LEAST_BYTES: usize = 512;
/// The most bytes that a payload may have after decompression: 1 MiB, the limit of NATS for an
/// uncompressed payload.
const MOST_BYTES: usize = 1 << 20;

thread_local! {
    // A compressor has buffers of about 600 KB. Each thread reuses one, so that they are not
    // allocated for every message.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses a payload of at least [`LEAST_BYTES`] if that makes it shorter, and then marks it as
/// compressed in its headers.
pub(crate) fn compress(payload: Vec<u8>, headers: &mut HeaderMap) -> Vec<u8> {
    if payload.len() < LEAST_BYTES {
        return payload;
    }
    let compressed = COMPRESSOR.with_borrow_mut(|kept| -> io::Result<Vec<u8>> {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(&payload)
    });
    match compressed {
        Ok(compressed) if compressed.len() < payload.len() => {
            headers.insert(header::ENCODING, ZSTD);
            compressed
        }
        _ => payload,
    }
}

/// The payload of a message, decompressed if its headers say that it is compressed.
///
/// # Errors
/// When the payload is broken, is longer than 1 MiB after decompression, or is compressed by
/// another algorithm.
pub fn decompressed<'a>(payload: &'a [u8], headers: Option<&HeaderMap>) -> io::Result<Cow<'a, [u8]>> {
    match headers.and_then(|headers| headers.get(header::ENCODING)) {
        None => Ok(Cow::Borrowed(payload)),
        Some(encoding) if encoding.as_str() == ZSTD => decompress(payload, MOST_BYTES).map(Cow::Owned),
        Some(encoding) => Err(io::Error::other(format!("is compressed by {encoding}, which is not known here"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_compressed_is_read_as_it_was_and_takes_no_more_bytes(
            word in proptest::collection::vec(any::<u8>(), 0..100), times in 0..50_usize,
        ) {
            let (payload, mut headers) = (word.repeat(times), HeaderMap::new());
            let compressed = compress(payload.clone(), &mut headers);
            prop_assert!(compressed.len() <= payload.len());
            prop_assert_eq!(decompressed(&compressed, Some(&headers)).unwrap().into_owned(), payload);
        }
    }

    #[test]
    fn a_payload_without_an_encoding_is_read_as_it_is() {
        assert_eq!(decompressed(b"{}", None).unwrap(), &b"{}"[..]);
        assert_eq!(decompressed(b"{}", Some(&HeaderMap::new())).unwrap(), &b"{}"[..]);
    }

    #[test]
    fn a_broken_an_unknown_and_an_endless_payload_are_refused() {
        let encoded = |encoding: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ENCODING, encoding);
            headers
        };
        assert!(decompressed(b"{}", Some(&encoded("zstd"))).is_err());
        let error = decompressed(b"{}", Some(&encoded("br"))).unwrap_err();
        assert_eq!(error.to_string(), "is compressed by br, which is not known here");
        let bomb = zstd::bulk::compress(&vec![0; MOST_BYTES + 1], LEVEL).unwrap();
        assert!(decompressed(&bomb, Some(&encoded("zstd"))).is_err());
    }
}
