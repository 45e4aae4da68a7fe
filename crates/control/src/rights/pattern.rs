//! Texts of policies: with wildcards, and with variables that stand for what a request has.

use std::borrow::Cow;

use super::context::Context;
use super::key::{Count, Key};
use super::place::{Place, PolicyError};

/// What has a meaning of its own in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    /// `*` and `?`.
    pub(super) wildcards: Wildcards,
    /// `${aws:username}`, and `${*}` for the character itself.
    pub(super) variables: Variables,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    Match,
    Literal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variables {
    /// In documents of version 2012-10-17.
    Replace,
    /// In older ones they would be literal text, which nobody means.
    Refuse,
}

/// Whether case counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Case,
    Not,
}

/// A text with wildcards and variables.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// Exactly one byte.
    One,
    /// Any number of bytes.
    Any,
    /// The request's value.
    Value(Key),
}

/// The parts of an ARN.
const ARN_PARTS: usize = 6;

impl Pattern {
    pub(super) fn parse(
        text: &str,
        syntax: Syntax,
        place: &Place<'_>,
    ) -> Result<Self, PolicyError> {
        let mut tokens = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("${") {
                let (name, after) = after
                    .split_once('}')
                    .ok_or_else(|| place.wrong("a policy variable has no closing brace"))?;
                if syntax.variables == Variables::Refuse {
                    let reason = r#"policy variables need "Version": "2012-10-17""#;
                    return Err(place.wrong(reason));
                }
                tokens.push(variable(name, place)?);
                rest = after;
                continue;
            }
            match c {
                '*' if syntax.wildcards == Wildcards::Match => tokens.push(Token::Any),
                '?' if syntax.wildcards == Wildcards::Match => tokens.push(Token::One),
                c => tokens.extend(c.encode_utf8(&mut [0; 4]).bytes().map(Token::Byte)),
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        Ok(Self(tokens))
    }

    /// Whether it matches the whole text. A variable without a value matches nothing.
    pub(super) fn matches(&self, text: &str, fold: Fold, context: &Context) -> bool {
        let tokens = self.with_values(context);
        tokens.is_some_and(|tokens| match_all(&tokens, text.as_bytes(), fold))
    }

    /// Whether it matches an ARN. A wildcard does not reach beyond its part, only a lone `*` is
    /// everything; so what has no ARN is matched by nothing else.
    pub(super) fn matches_arn(&self, text: &str, context: &Context) -> bool {
        let Some(tokens) = self.with_values(context) else {
            return false;
        };
        if *tokens == [Token::Any] {
            return true;
        }
        let mut texts = text.as_bytes().splitn(ARN_PARTS, |byte| *byte == b':');
        let matched = parts(&tokens)
            .all(|part| (texts.next()).is_some_and(|text| match_all(part, text, Fold::Not)));
        matched && texts.next().is_none()
    }

    /// Whether it is `*` or has the form of an ARN.
    pub(super) fn is_arn(&self) -> bool {
        let arn = b"arn".map(Token::Byte);
        self.0 == [Token::Any]
            || parts(&self.0).count() == ARN_PARTS && parts(&self.0).next() == Some(&arn)
    }

    /// The keys that variables of it stand for.
    pub(super) fn variables(&self) -> impl Iterator<Item = Key> {
        self.0.iter().filter_map(|token| match token {
            Token::Value(key) => Some(*key),
            _ => None,
        })
    }

    fn with_values(&self, context: &Context) -> Option<Cow<'_, [Token]>> {
        if self.variables().next().is_none() {
            return Some(Cow::Borrowed(&self.0));
        }
        let mut tokens = Vec::with_capacity(self.0.len());
        for token in &self.0 {
            match token {
                Token::Value(key) => {
                    let value = context.values(*key).first()?;
                    tokens.extend(value.bytes().map(Token::Byte));
                }
                token => tokens.push(*token),
            }
        }
        Some(Cow::Owned(tokens))
    }
}

fn parts(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.splitn(ARN_PARTS, |token| *token == Token::Byte(b':'))
}

fn variable(name: &str, place: &Place<'_>) -> Result<Token, PolicyError> {
    if let ["*" | "?" | "$"] = [name] {
        return Ok(Token::Byte(
            name.as_bytes().first().copied().unwrap_or(b'$'),
        ));
    }
    match Key::named(name) {
        Some(key) if key.count() == Count::One => Ok(Token::Value(key)),
        Some(key) => {
            let name = key.name();
            Err(place.wrong(format!(
                "{name} has several values and cannot be a variable"
            )))
        }
        None => Err(place.wrong(format!("there is no policy variable '{name}'"))),
    }
}

/// Linear but for one step back to the last wildcard.
fn match_all(pattern: &[Token], text: &[u8], fold: Fold) -> bool {
    let same = |token: &Token, byte: u8| match (token, fold) {
        (Token::Byte(wanted), Fold::Case) => wanted.eq_ignore_ascii_case(&byte),
        (Token::Byte(wanted), Fold::Not) => *wanted == byte,
        (Token::One, _) => true,
        (Token::Any | Token::Value(_), _) => false,
    };
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        match pattern.get(p) {
            Some(Token::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(token) if same(token, byte) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|token| *token == Token::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Syntax = Syntax {
        wildcards: Wildcards::Match,
        variables: Variables::Replace,
    };

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text, ALL, &Place::Root).unwrap()
    }

    #[test]
    fn patterns_match_as_iam_matches_them() {
        for (text, against, expected) in [
            ("*", "anything", true),
            ("route53:Get*", "route53:gethostedzone", true),
            ("route53:Get*", "route53:ListHostedZones", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abab", true),
            ("*b*b", "aba", false),
            ("", "", true),
            ("a${*}c", "a*c", true),
            ("a${*}c", "abc", false),
            ("a$b", "a$b", true),
        ] {
            let matched = pattern(text).matches(against, Fold::Case, &Context::default());
            assert_eq!(matched, expected, "{text} {against}");
        }
        assert!(!pattern("Z*").matches("z1", Fold::Not, &Context::default()));
    }

    /// All texts over an alphabet, up to four characters long.
    fn texts(alphabet: &[char]) -> Vec<String> {
        let mut longest = vec![String::new()];
        let mut all = longest.clone();
        for _ in 0..4 {
            let longer = longest.iter();
            let longer =
                longer.flat_map(|short| alphabet.iter().map(move |c| format!("{short}{c}")));
            longest = longer.collect();
            all.extend(longest.clone());
        }
        all
    }

    /// What matching means, without a thought about time.
    fn oracle(pattern: &str, text: &str) -> bool {
        let Some(first) = pattern.chars().next() else {
            return text.is_empty();
        };
        let rest = &pattern[1..];
        match first {
            '*' => (0..=text.len()).any(|skipped| oracle(rest, &text[skipped..])),
            '?' => !text.is_empty() && oracle(rest, &text[1..]),
            c => text.starts_with(c) && oracle(rest, &text[1..]),
        }
    }

    #[test]
    fn short_patterns_match_what_they_mean() {
        let texts_to_match = texts(&['a', 'b']);
        for written in texts(&['a', '*', '?']) {
            let pattern = pattern(&written);
            for text in &texts_to_match {
                let matched = pattern.matches(text, Fold::Not, &Context::default());
                assert_eq!(matched, oracle(&written, text), "{written} {text}");
            }
        }
    }

    #[test]
    fn wildcards_of_arns_stay_in_their_part() {
        let zone = "arn:aws:route53:::hostedzone/Z1";
        for (text, against, expected) in [
            ("*", zone, true),
            ("arn:aws:route53:::hostedzone/*", zone, true),
            ("arn:aws:route53:::*", zone, true),
            ("arn:*:route53:*:*:hostedzone/Z?", zone, true),
            ("arn:aws:route53:::change/*", zone, false),
            ("arn:aws:route53:::hostedzone/z1", zone, false),
            ("arn:aws:*:hostedzone/Z1", zone, false),
            // Operations that concern nothing in particular ask for `*`.
            ("arn:aws:route53:::hostedzone/*", "*", false),
            ("*", "*", true),
        ] {
            let matched = pattern(text).matches_arn(against, &Context::default());
            assert_eq!(matched, expected, "{text} {against}");
        }
        assert!(pattern("*").is_arn() && pattern("arn:aws:route53:::change/*").is_arn());
        assert!(!pattern("arn:aws:route53:*").is_arn() && !pattern("Z1").is_arn());
    }

    #[test]
    fn a_value_is_no_pattern_and_must_be_there() {
        let own = pattern("${aws:username}.example");
        let mut context = Context::default();
        assert!(!own.matches(".example", Fold::Not, &context));
        context.set("aws:username", vec!["*".to_owned()]).unwrap();
        assert!(own.matches("*.example", Fold::Not, &context));
        assert!(!own.matches("x.example", Fold::Not, &context));
    }
}
