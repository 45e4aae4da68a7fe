//! Strings in bodies: where they are found, and what it costs where they are not.

use std::time::Duration;

use meridian_health::{Found, Malformation};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use tokio::io::AsyncWriteExt;

use crate::scene::{answering, endless, endpoint, request, search};

const FOUND: Found = Found::Answered(200);
const MISSING: Found = Found::StringMissing(200);

fn response(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn sized(headers: &str, body: &[u8]) -> Vec<u8> {
    let headers = format!("{headers}Content-Length: {}\r\n", body.len());
    response(&headers, body)
}

fn chunked(pieces: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for piece in pieces {
        body.extend(format!("{:x};a=\"b\"\r\n", piece.len()).into_bytes());
        body.extend(*piece);
        body.extend(b"\r\n");
    }
    body.extend(b"0\r\nX: y\r\n\r\n");
    response("Transfer-Encoding: Chunked\r\n", &body)
}

fn gzip(data: &[u8], level: u8) -> Vec<u8> {
    let head = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03name\0";
    // Nobody looks at the sum behind it.
    [&head[..], &compress_to_vec(data, level), &[0; 8]].concat()
}

/// A body with the string's last byte at this place.
fn ending_at(place: usize) -> Vec<u8> {
    let mut body = vec![b'.'; 8192];
    body[place - 6..place].copy_from_slice(b"needle");
    body
}

#[tokio::test]
async fn strings_are_found_in_the_first_5120_bytes() {
    let inside = ending_at(5120);
    let outside = ending_at(5121);
    let singles: Vec<&[u8]> = inside.chunks(1).collect();
    let thirds: Vec<&[u8]> = inside.chunks(3).collect();
    let beyond: Vec<&[u8]> = outside.chunks(1000).collect();
    for (what, answer, found) in [
        ("sized", sized("", &inside), FOUND),
        ("sized, beyond", sized("", &outside), MISSING),
        ("until close", response("", &inside), FOUND),
        ("until close, short", response("", b"needl"), MISSING),
        ("none", sized("", b""), MISSING),
        ("all", sized("", b"needle"), FOUND),
        ("other case", sized("", b"Needle"), MISSING),
        (
            "beyond its length",
            response("Content-Length: 5\r\n", b"needle"),
            MISSING,
        ),
        (
            "cut off",
            response("Content-Length: 9\r\n", b"no"),
            Found::Closed,
        ),
        (
            "cut off behind",
            response("Content-Length: 9\r\n", b"needle"),
            FOUND,
        ),
        ("bytes", chunked(&singles), FOUND),
        ("thirds", chunked(&thirds), FOUND),
        ("chunks, beyond", chunked(&beyond), MISSING),
        ("no chunks", chunked(&[]), MISSING),
        (
            "no content",
            b"HTTP/1.1 304 x\r\n\r\nneedle".to_vec(),
            Found::StringMissing(304),
        ),
        (
            "bad status",
            b"HTTP/1.1 500 x\r\n\r\nneedle".to_vec(),
            Found::BadStatus(500),
        ),
    ] {
        let scene = answering(answer).await;
        assert_eq!(search(&scene, "needle").await, found, "{what}");
    }
    assert_eq!(
        MISSING.to_string(),
        "Failure: HTTP Status Code 200, OK. Search string not found in the first 5120 bytes"
    );
}

#[tokio::test]
async fn strings_are_found_in_what_is_packed() {
    let inside = ending_at(5120);
    let outside = ending_at(5121);
    let encoding = |name| format!("Content-Encoding: {name}\r\n");
    let zlib = compress_to_vec_zlib(&inside, 6);
    for (what, answer, found) in [
        ("gzip", sized(&encoding("gzip"), &gzip(&inside, 6)), FOUND),
        (
            "x-gzip",
            response(&encoding("X-GZip"), &gzip(&inside, 1)),
            FOUND,
        ),
        (
            "gzip, stored",
            sized(&encoding("gzip"), &gzip(&inside, 0)),
            FOUND,
        ),
        (
            "gzip, beyond",
            sized(&encoding("gzip"), &gzip(&outside, 6)),
            MISSING,
        ),
        ("zlib", sized(&encoding("deflate"), &zlib), FOUND),
        (
            "deflate",
            sized(&encoding("deflate"), &compress_to_vec(&inside, 6)),
            FOUND,
        ),
        ("identity", sized(&encoding("identity"), &inside), FOUND),
        (
            "not asked for",
            sized(&encoding("br"), &inside),
            Found::Undecodable(200),
        ),
        (
            "twice",
            sized(&encoding("gzip, gzip"), &inside),
            Found::Undecodable(200),
        ),
        (
            "no gzip",
            sized(&encoding("gzip"), &inside),
            Found::Undecodable(200),
        ),
        (
            "broken gzip",
            sized(
                &encoding("gzip"),
                b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xff\xff\xff\xff",
            ),
            Found::Undecodable(200),
        ),
    ] {
        let scene = answering(answer).await;
        assert_eq!(search(&scene, "needle").await, found, "{what}");
    }
}

#[tokio::test]
async fn bad_chunks_are_refused() {
    let bad = Found::Malformed(Malformation::Framing);
    for body in [
        &b"needle"[..],
        b"\r\n",
        b"x\r\nneedle",
        b"-6\r\nneedle",
        b"1\r\nnXX\r\n",
        b"ffffffffffffffff\r\nneedle",
        b"10000000000000006\r\nneedle",
    ] {
        let answer = response("Transfer-Encoding: chunked\r\n", body);
        let scene = answering(answer).await;
        assert_eq!(search(&scene, "needle").await, bad, "{body:?}");
    }
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    let scene = endless(head, b"extension", Duration::ZERO).await;
    assert_eq!(search(&scene, "needle").await, bad);
}

/// Ten megabytes in ten kilobytes, and blocks of nothing without end.
#[tokio::test]
async fn bombs_burst_in_a_small_window() {
    let bomb = gzip(&vec![0; 10_000_000], 9);
    assert!(bomb.len() < 20_000);
    let scene = answering(sized("Content-Encoding: gzip\r\n", &bomb)).await;
    assert_eq!(search(&scene, "needle").await, MISSING);
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03";
    let scene = endless(head, b"\0\0\0\xff\xff", Duration::ZERO).await;
    assert_eq!(search(&scene, "needle").await, MISSING);
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\x03";
    let scene = endless(head, b"name", Duration::ZERO).await;
    assert_eq!(search(&scene, "needle").await, Found::Undecodable(200));
}

#[tokio::test]
async fn bodies_without_end_are_left() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    let scene = endless(head, &[b'.'; 4096], Duration::ZERO).await;
    assert_eq!(search(&scene, "needle").await, MISSING);
    // Found is found, whatever follows.
    let scene = endless(b"HTTP/1.1 200 OK\r\n\r\nneedle", b".", Duration::ZERO).await;
    assert_eq!(search(&scene, "needle").await, FOUND);
    let slowly = Duration::from_millis(10);
    let scene = endless(head, b".", slowly).await;
    let late = search(&scene, "needle").await;
    assert_eq!(late, Found::BodyTimedOut(200));
    assert_eq!(
        late.to_string(),
        "Failure: HTTP Status Code 200, OK. Response body timed out"
    );
}

/// In pieces of one byte, over the seam between head and body too.
#[tokio::test]
async fn a_string_may_come_byte_by_byte() {
    let scene = endpoint(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.set_nodelay(true);
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nsome needles" {
            let _ = stream.write_all(&[*byte]).await;
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(search(&scene, "needle").await, FOUND);
}
