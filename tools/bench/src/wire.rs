//! A minimal HTTP/1.1 connection. It uses little CPU time, because the load generator shares the
//! machine with the system that it measures.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that is kept open between requests.
pub(crate) struct Wire {
    stream: TcpStream,
    authority: String,
    read: Vec<u8>,
}

impl Wire {
    /// Connects to `http://host:port`.
    pub(crate) async fn connect(base: &str) -> Result<Self> {
        let authority = base.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&authority).await.with_context(|| format!("cannot connect to {base}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, authority, read: Vec::with_capacity(16 * 1024) })
    }

    /// Posts JSON with a header for credentials, and returns the status.
    pub(crate) async fn post(&mut self, path: &str, (name, value): (&str, &str), json: &str) -> Result<u16> {
        let (authority, length) = (&self.authority, json.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\n{name}: {value}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{json}"
        );
        self.exchange(&request).await
    }

    /// Sends a GET with a header for credentials, and returns the status.
    pub(crate) async fn get(&mut self, path: &str, (name, value): (&str, &str)) -> Result<u16> {
        let authority = &self.authority;
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n{name}: {value}\r\n\r\n")).await
    }

    /// Requests a page as a browser with a session does, and returns the status and the size of the
    /// compressed body.
    pub(crate) async fn page(&mut self, path: &str, cookie: &str) -> Result<(u16, usize)> {
        let authority = &self.authority;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\
             Accept-Encoding: gzip\r\n\r\n"
        );
        let status = self.exchange(&request).await?;
        let head = find(&self.read, b"\r\n\r\n").map_or(0, |end| end + 4);
        Ok((status, self.read.len() - head))
    }

    async fn exchange(&mut self, request: &str) -> Result<u16> {
        self.stream.write_all(request.as_bytes()).await?;
        self.read.clear();
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                bail!("the server has closed the connection, or the answer broke off");
            }
            if head.is_none() {
                head = Head::of(&self.read)?;
            }
            if let Some(head) = &mut head
                && head.is_whole(&self.read)?
            {
                return Ok(head.status);
            }
        }
    }

    /// Returns how long the last answer asks the client to wait (`Retry-After` in seconds).
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let head = self.read.get(..find(&self.read, b"\r\n\r\n")?)?;
        let head = std::str::from_utf8(head).ok()?.to_ascii_lowercase();
        Some(Duration::from_secs(header(&head, "retry-after:")?.parse().ok()?))
    }

    /// Returns the bytes of the last answer, head and body.
    pub(crate) fn answer(&self) -> &[u8] {
        &self.read
    }
}

/// The status of an answer, and where its body ends.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// The index in the answer at which the body ends or, for a chunked answer, the next chunk
    /// begins.
    until: usize,
    is_chunked: bool,
}

impl Head {
    /// Parses the head of an answer, or returns `None` if the head is not complete.
    fn of(read: &[u8]) -> Result<Option<Self>> {
        let Some(end) = find(read, b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(&read[..end]).context("a head that is no text")?.to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let length = header(&head, "content-length:").map_or(Ok(0), str::parse::<usize>)?;
        let is_chunked = header(&head, "transfer-encoding:") == Some("chunked");
        Ok(Some(Self { status, until: end + 4 + length, is_chunked }))
    }

    /// Returns whether the answer is complete (RFC 9112, section 7.1).
    fn is_whole(&mut self, read: &[u8]) -> Result<bool> {
        while self.is_chunked {
            let Some(rest) = read.get(self.until..) else { return Ok(false) };
            let Some(end) = find(rest, b"\r\n") else { return Ok(false) };
            let size = std::str::from_utf8(&rest[..end])?.split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size.trim(), 16).context("a chunk without a size")?;
            // A line break follows each chunk, also the empty last one.
            self.until += end + 2 + size + 2;
            self.is_chunked = size > 0;
        }
        Ok(read.len() >= self.until)
    }
}

/// Returns the value of a header. `head` is in lower case, and `name` ends with a colon.
fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|part| part == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the status, if the answer is complete.
    fn whole(read: &[u8]) -> Result<Option<u16>> {
        let Some(mut head) = Head::of(read)? else { return Ok(None) };
        Ok(head.is_whole(read)?.then_some(head.status))
    }

    #[test]
    fn an_answer_is_whole_when_head_and_body_are_there() -> Result<()> {
        assert_eq!(whole(b"HTTP/1.1 201 Created\r\nContent-Len")?, None);
        assert_eq!(whole(b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nab")?, None);
        assert_eq!(whole(b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nabcde")?, Some(201));
        assert_eq!(whole(b"HTTP/1.1 204 No Content\r\n\r\n")?, Some(204));
        Ok(())
    }

    #[test]
    fn an_answer_in_chunks_is_whole_after_the_empty_one() -> Result<()> {
        let answer =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0\r\n\r\n56789\r\n0\r\n\r\n";
        for length in 0..answer.len() {
            assert_eq!(whole(&answer[..length])?, None, "{length}");
        }
        assert_eq!(whole(answer)?, Some(200));
        Ok(())
    }
}
