//! TLS for probes: whether it comes about, and why not. Certificates are looked at only where
//! somebody wants that, as with Route 53.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use meridian_model::Endpoint;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use super::found::{CertificateFault, Found, TlsFailure};

/// Whether an endpoint's certificate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certificate {
    /// Any does, as with Route 53.
    Any,
    /// It has to be valid, for the domain name or else the address.
    Valid,
}

/// Whether the name is told when TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sni {
    Told,
    Silent,
}

/// How TLS is spoken to endpoints.
#[derive(Debug, Clone)]
pub struct Tls {
    any: Pair,
    valid: Pair,
}

/// The same, with and without the name.
#[derive(Debug, Clone)]
struct Pair {
    told: Arc<ClientConfig>,
    silent: Arc<ClientConfig>,
}

impl Pair {
    fn of(mut config: ClientConfig) -> Self {
        // Each probe is to see what a newcomer sees, and nothing is to pile up.
        config.resumption = Resumption::disabled();
        let told = Arc::new(config.clone());
        config.enable_sni = false;
        Self {
            told,
            silent: Arc::new(config),
        }
    }
}

impl Tls {
    /// With the authorities that valid certificates are to be from; there may be none.
    ///
    /// # Errors
    /// When the crypto cannot be used.
    pub fn new(roots: RootCertStore) -> Result<Self, Error> {
        let provider = Arc::new(default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
        };
        let schemes = provider.signature_verification_algorithms;
        let any = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(TakeAny(schemes.supported_schemes())))
            .with_no_client_auth();
        let valid = builder()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            any: Pair::of(any),
            valid: Pair::of(valid),
        })
    }

    /// Without authorities: certificates that are to be valid are not.
    ///
    /// # Errors
    /// When the crypto cannot be used.
    pub fn trusting_nobody() -> Result<Self, Error> {
        Self::new(RootCertStore::empty())
    }

    /// Shakes hands.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        endpoint: &Endpoint,
        address: IpAddr,
        certificate: Certificate,
        sni: Sni,
    ) -> Result<TlsStream<TcpStream>, Found> {
        let pair = match certificate {
            Certificate::Any => &self.any,
            Certificate::Valid => &self.valid,
        };
        let config = match sni {
            Sni::Told => &pair.told,
            Sni::Silent => &pair.silent,
        };
        let connector = TlsConnector::from(Arc::clone(config));
        let connected = connector.connect(server_name(endpoint, address), stream);
        connected.await.map_err(|error| failure(&error))
    }
}

fn server_name(endpoint: &Endpoint, address: IpAddr) -> ServerName<'static> {
    let name = endpoint.domain_name.as_deref().unwrap_or_default();
    let name = name.trim_end_matches('.').to_owned();
    ServerName::try_from(name).unwrap_or_else(|_| ServerName::from(address))
}

/// Whether the endpoint said that it does not know the name it was told.
pub(super) fn is_mismatch(found: Found) -> bool {
    let unknown = u8::from(AlertDescription::UnrecognisedName);
    found == Found::Tls(TlsFailure::Alert(unknown))
}

fn failure(error: &io::Error) -> Found {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let failure = match (inner, error.kind()) {
        (Some(error), _) => of_rustls(error),
        (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            return Found::Reset;
        }
        (None, _) => return Found::Closed,
    };
    Found::Tls(failure)
}

fn of_rustls(error: &Error) -> TlsFailure {
    match error {
        Error::AlertReceived(alert) => TlsFailure::Alert(u8::from(*alert)),
        Error::InvalidMessage(_) => TlsFailure::NotTls,
        Error::PeerIncompatible(_) => TlsFailure::Incompatible,
        Error::InvalidCertificate(fault) => TlsFailure::Certificate(match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                CertificateFault::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                CertificateFault::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                CertificateFault::OtherName
            }
            CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
            _ => CertificateFault::Other,
        }),
        _ => TlsFailure::Misbehaved,
    }
}

/// Takes every certificate, and every signature with it: who is spoken to does not matter, only
/// that they speak TLS.
#[derive(Debug)]
struct TakeAny(Vec<SignatureScheme>);

impl ServerCertVerifier for TakeAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
