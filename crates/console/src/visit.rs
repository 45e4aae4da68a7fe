//! One request of somebody who may be signed in: what is known of it, what it asks of control, and that
//! all of that is told.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use meridian_control::{Caller, ChangeRecordSets, Control, Credential, Transport};
use meridian_model::{AccessKeyId, DraftChange, Timestamp};

use crate::happening::Happening;
use crate::random;
use crate::service::Desk;
use crate::words::Problem;

/// What is known of a request before it is known whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Timestamp,
    /// Where it came from; `-` when that is not known.
    pub(crate) source: String,
    pub(crate) transport: Transport,
    user_agent: String,
    pub(crate) request_id: String,
}

/// What is asked of control, as it is told of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) changes: Vec<DraftChange>,
}

/// A request of somebody who is signed in.
pub(crate) struct Visit<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) seen: &'a Seen,
    pub(crate) caller: Caller,
    /// What forms have in them.
    pub(crate) token: String,
}

impl Seen {
    pub(crate) fn of(parts: &Parts, at: Timestamp) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let transport = parts.extensions.get::<Transport>().copied();
        let agent = parts.headers.get(USER_AGENT).map(|value| value.as_bytes());
        Self {
            at,
            source: peer.map_or_else(|| "-".to_owned(), |ConnectInfo(peer)| peer.ip().to_string()),
            transport: transport.unwrap_or(Transport::Plain),
            user_agent: String::from_utf8_lossy(agent.unwrap_or_default()).into_owned(),
            request_id: random::request_id(),
        }
    }

    /// Who sent it, once that is known.
    pub(crate) fn caller(&self, access_key: AccessKeyId, credential: Credential) -> Caller {
        Caller {
            account: credential.account,
            operator: credential.operator,
            user: credential.user,
            access_key,
            source: self.source.clone(),
            transport: self.transport,
            received_at: self.at,
            request_id: self.request_id.clone(),
            retry: None,
        }
    }

    /// Its address.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.source.parse().ok()
    }

    /// Something that it did, by whom it says.
    pub(crate) fn happening(
        &self,
        operation: &'static str,
        key: Option<&AccessKeyId>,
    ) -> Happening {
        Happening {
            operation,
            read_only: true,
            at: self.at,
            caller: None,
            claimed_key: key.map(AccessKeyId::to_string),
            source: self.source.clone(),
            user_agent: self.user_agent.clone(),
            request_id: self.request_id.clone(),
            parameters: Vec::new(),
            changes: Vec::new(),
            change: None,
            error: None,
        }
    }
}

impl Call {
    /// An operation about something.
    pub(crate) fn about(operation: &'static str, name: &'static str, value: &str) -> Self {
        Self {
            operation,
            parameters: vec![(name, value.to_owned())],
            changes: Vec::new(),
        }
    }
}

impl Visit<'_> {
    /// Reads something.
    pub(crate) fn read<T, E: Into<Problem>>(
        &self,
        call: Call,
        act: impl FnOnce(&Control, &Caller) -> Result<T, E>,
    ) -> Result<T, Problem> {
        let outcome = act(&self.desk.control, &self.caller).map_err(Into::into);
        self.tell(call, true, None, outcome.as_ref().err());
        outcome
    }

    /// Changes record sets; the id of the change.
    pub(crate) fn change_record_sets(&self, batch: &ChangeRecordSets) -> Result<String, Problem> {
        let zone = batch.hosted_zone_id.as_str();
        let call = Call {
            changes: batch.changes.clone(),
            ..Call::about("ChangeResourceRecordSets", "hostedZoneId", zone)
        };
        let outcome = self.desk.control.change_record_sets(&self.caller, batch);
        let outcome = outcome.map(|it| it.change.id.to_string());
        let outcome = outcome.map_err(Problem::from);
        let change = outcome.as_ref().ok().cloned();
        self.tell(call, false, change, outcome.as_ref().err());
        outcome
    }

    /// Tells of what was not even asked.
    pub(crate) fn refused(&self, operation: &'static str, problem: &Problem) {
        let call = Call {
            operation,
            ..Call::default()
        };
        self.tell(call, true, None, Some(problem));
    }

    fn tell(&self, call: Call, read_only: bool, change: Option<String>, error: Option<&Problem>) {
        self.desk.tell(|| Happening {
            read_only,
            caller: Some(self.caller.clone()),
            parameters: call.parameters,
            changes: call.changes,
            change,
            error: error.map(|it| (it.code.clone(), it.text.clone())),
            ..self
                .seen
                .happening(call.operation, Some(&self.caller.access_key))
        });
    }
}
