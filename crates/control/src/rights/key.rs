//! What conditions can ask about: the context keys of IAM that have a meaning here.

/// A context key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    RecordNames,
    RecordTypes,
    ChangeActions,
    Vpcs,
    Username,
    PrincipalArn,
    PrincipalAccount,
    PrincipalType,
    SourceIp,
    CurrentTime,
    SecureTransport,
    ViaAwsService,
    MultiFactorAuthPresent,
}

/// Which operators a key goes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Arn,
    Address,
    Time,
    Truth,
}

/// How many values a request has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    One,
    Several,
}

impl Key {
    pub(super) const ALL: [Self; 13] = [
        Self::RecordNames,
        Self::RecordTypes,
        Self::ChangeActions,
        Self::Vpcs,
        Self::Username,
        Self::PrincipalArn,
        Self::PrincipalAccount,
        Self::PrincipalType,
        Self::SourceIp,
        Self::CurrentTime,
        Self::SecureTransport,
        Self::ViaAwsService,
        Self::MultiFactorAuthPresent,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RecordNames => "route53:ChangeResourceRecordSetsNormalizedRecordNames",
            Self::RecordTypes => "route53:ChangeResourceRecordSetsRecordTypes",
            Self::ChangeActions => "route53:ChangeResourceRecordSetsActions",
            Self::Vpcs => "route53:VPCs",
            Self::Username => "aws:username",
            Self::PrincipalArn => "aws:PrincipalArn",
            Self::PrincipalAccount => "aws:PrincipalAccount",
            Self::PrincipalType => "aws:PrincipalType",
            Self::SourceIp => "aws:SourceIp",
            Self::CurrentTime => "aws:CurrentTime",
            Self::SecureTransport => "aws:SecureTransport",
            Self::ViaAwsService => "aws:ViaAWSService",
            Self::MultiFactorAuthPresent => "aws:MultiFactorAuthPresent",
        }
    }

    /// The key of this name, whatever its case, as in IAM.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|key| key.name().eq_ignore_ascii_case(name))
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::RecordNames
            | Self::RecordTypes
            | Self::ChangeActions
            | Self::Vpcs
            | Self::Username
            | Self::PrincipalAccount
            | Self::PrincipalType => Kind::Text,
            Self::PrincipalArn => Kind::Arn,
            Self::SourceIp => Kind::Address,
            Self::CurrentTime => Kind::Time,
            Self::SecureTransport | Self::ViaAwsService | Self::MultiFactorAuthPresent => {
                Kind::Truth
            }
        }
    }

    /// `route53:VPCs` is a set in name, but every request has one network at most.
    pub(super) const fn count(self) -> Count {
        match self {
            Self::RecordNames | Self::RecordTypes | Self::ChangeActions => Count::Several,
            _ => Count::One,
        }
    }

    /// The names of all, for an error message.
    pub(super) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}
