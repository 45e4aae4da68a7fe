//! Which characters a text may have that is shown in XML, as all are that the API shows.

/// Whether it is a `Char` of XML 1.0, section 2.2.
pub fn is_xml_char(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => c >= ' ',
    }
}
