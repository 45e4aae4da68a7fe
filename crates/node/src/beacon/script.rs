//! What the beacon answers besides words: the script that measures in browsers, and the image that
//! it fetches.
//!
//! The script waits until the page is loaded, then fetches each site's image twice, one after the
//! other. The second fetch goes over the connection of the first, so that the time from its request
//! to the first byte of its response is one round trip; where it went over another one it does not
//! count. What comes of it is sent by `sendBeacon`, which needs no answer and no page that stays.

use serde_json::json;

/// The script without what it is told.
const SCRIPT: &str = include_str!("rum.js");

/// A transparent image of one pixel, up to what may stand between its parts.
const IMAGE: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\
    \x21\xf9\x04\x01\x00\x00\x00\x00";
const REST_OF_IMAGE: &[u8] = b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";
/// Said in a comment as often as it takes.
const COMMENT: &[u8] =
    b"Longer than need be: of connections with less on them no round trip is believed. ";
/// How many pieces of a comment, each as long as a piece can be.
const PIECES: usize = 4;

/// The script for one client: the token to be shown with what it finds, and where it measures.
pub(super) fn script(token: &str, sites: &[&str]) -> String {
    let sites = json!(sites);
    format!("{}({},{sites})\n", SCRIPT.trim_end(), json!(token))
}

/// The image.
pub(super) fn image() -> Vec<u8> {
    let mut image = IMAGE.to_vec();
    image.extend(b"\x21\xfe");
    for _ in 0..PIECES {
        image.push(u8::MAX);
        image.extend(COMMENT.iter().cycle().take(u8::MAX.into()));
    }
    image.push(0);
    image.extend(REST_OF_IMAGE);
    image
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beacon::MIN_BYTES;

    #[test]
    fn the_script_is_shorter_than_2_kb_with_all_it_is_told() {
        let token = "x".repeat(crate::beacon::token::MAX_LEN);
        let site = format!("https://{}.example", "y".repeat(40));
        let script = script(&token, &[&site, &site, &site]);
        assert!(script.len() < 2000, "{} bytes", script.len());
        assert!(script.contains(&site) && script.is_ascii());
    }

    #[test]
    fn what_is_told_ends_no_text_of_the_script() {
        let script = script("a\"b", &["https://x/\"</script>"]);
        assert!(
            script.ends_with("}(\"a\\\"b\",[\"https://x/\\\"</script>\"])\n"),
            "{script}"
        );
    }

    #[test]
    fn the_image_is_long_enough_for_its_connection_to_count() {
        let image = image();
        assert!(image.len() as u64 >= MIN_BYTES && image.len() < 1200);
        assert!(image.starts_with(b"GIF89a\x01\x00\x01\x00") && image.ends_with(b"\x3b"));
    }
}
