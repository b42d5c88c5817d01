//! One HTTP/1.1 connection that costs next to nothing: the load shares the machine with what it
//! measures.

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that is kept alive.
pub(super) struct Wire {
    stream: TcpStream,
    authority: String,
    read: Vec<u8>,
}

impl Wire {
    /// Connects to `http://host:port`.
    pub(super) async fn connect(base: &str) -> Result<Self> {
        let authority = base.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&authority).await.with_context(|| format!("cannot connect to {base}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, authority, read: Vec::with_capacity(16 * 1024) })
    }

    /// Posts JSON; gives the status and leaves the body in `body`.
    pub(super) async fn post(&mut self, path: &str, authorization: &str, json: &[u8]) -> Result<u16> {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {authorization}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.authority,
            json.len()
        )
        .into_bytes();
        request.extend_from_slice(json);
        self.stream.write_all(&request).await?;
        self.read.clear();
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                bail!("the server has closed the connection");
            }
            if let Some((status, length)) = head(&self.read)? {
                while self.read.len() < length {
                    if self.stream.read_buf(&mut self.read).await? == 0 {
                        bail!("the answer broke off");
                    }
                }
                return Ok(status);
            }
        }
    }

    /// The last answer, head and body.
    pub(super) fn answer(&self) -> &[u8] {
        &self.read
    }
}

/// The status and the whole length of an answer, once its head is there.
fn head(read: &[u8]) -> Result<Option<(u16, usize)>> {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&read[..end]).context("a head that is no text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).context("no status")?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Ok(Some((status, end + 4 + length.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_head_and_body_are_there() -> Result<()> {
        assert_eq!(head(b"HTTP/1.1 201 Created\r\nContent-Len")?, None);
        assert_eq!(head(b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nab")?, Some((201, 48)));
        assert_eq!(head(b"HTTP/1.1 204 No Content\r\n\r\n")?, Some((204, 27)));
        Ok(())
    }
}
