//! Configurations for logging the queries of a zone, and the ARNs that name where to.

use crate::id::{AccountId, QueryLoggingConfigId, ZoneId};

/// A zone's configuration. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLoggingConfig {
    /// A lower-case UUID.
    pub id: QueryLoggingConfigId,
    /// The owner.
    pub account: AccountId,
    /// The zone; each has at most one.
    pub zone: ZoneId,
    /// The log group.
    pub log_group: LogGroupArn,
}

/// The ARN of a log group, in the words it was submitted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroupArn(String);

/// A text is not the ARN of a log group that Route 53 would write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the ARN of a log group in us-east-1")]
pub struct InvalidArn;

/// The region that Route 53 wants log groups in.
const REGION: &str = "us-east-1";
/// The longest name of a log group.
const NAME_MAX: usize = 512;

impl LogGroupArn {
    /// Reads `arn:aws:logs:us-east-1:ACCOUNT:log-group:NAME`, which may end with `:*`.
    ///
    /// # Errors
    /// [`InvalidArn`] for everything else.
    pub fn parse(text: &str) -> Result<Self, InvalidArn> {
        let plain = text.strip_suffix(":*").unwrap_or(text);
        let parts: Vec<&str> = plain.split(':').collect();
        let ["arn", "aws", "logs", REGION, account, "log-group", name] = parts[..] else {
            return Err(InvalidArn);
        };
        let is_account = account.len() == 12 && AccountId::new(account).is_ok();
        let in_names = |b: u8| b.is_ascii_alphanumeric() || b"._-/#".contains(&b);
        let is_name = (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(in_names);
        (is_account && is_name)
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidArn)
    }

    /// One that was accepted before, whatever is accepted today.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// As it was submitted.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account that the log group belongs to.
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or("")
    }

    /// The name of the log group.
    pub fn name(&self) -> &str {
        self.0.split(':').nth(6).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_log_groups_of_the_one_region_are_read() {
        let good = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/route53/a_b.test-1#";
        for text in [good.to_owned(), format!("{good}:*")] {
            let arn = LogGroupArn::parse(&text).unwrap();
            assert_eq!(arn.as_str(), text);
            assert_eq!(arn.account(), "123456789012");
            assert_eq!(arn.name(), "/aws/route53/a_b.test-1#");
        }
        for bad in [
            "",
            "log-group",
            "arn:aws:logs:eu-west-1:123456789012:log-group:a",
            "arn:aws-cn:logs:us-east-1:123456789012:log-group:a",
            "arn:aws:s3:us-east-1:123456789012:log-group:a",
            "arn:aws:logs:us-east-1:12345678901:log-group:a",
            "arn:aws:logs:us-east-1:12345678901x:log-group:a",
            "arn:aws:logs:us-east-1:123456789012:log-group:",
            "arn:aws:logs:us-east-1:123456789012:log-group:*",
            "arn:aws:logs:us-east-1:123456789012:log-group:a b",
            "arn:aws:logs:us-east-1:123456789012:log-group:a:b",
            "arn:aws:logs:us-east-1:123456789012:log-group:a:*:*",
            &format!(
                "arn:aws:logs:us-east-1:123456789012:log-group:{}",
                "a".repeat(513)
            ),
        ] {
            assert_eq!(LogGroupArn::parse(bad), Err(InvalidArn), "{bad}");
        }
    }

    #[test]
    fn whatever_is_stored_has_some_name() {
        assert_eq!(LogGroupArn::stored(String::new()).name(), "");
        assert_eq!(LogGroupArn::stored("a:b".to_owned()).account(), "");
    }
}
