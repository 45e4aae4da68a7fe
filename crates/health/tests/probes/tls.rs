//! HTTPS: any certificate will do unless somebody wants a valid one, and whoever does not speak TLS
//! is found out.

use std::sync::Arc;

use meridian_health::{Certificate, Found, Target, Tls};
use meridian_model::Protocol;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::scene::{Scene, endpoint, find, observe, prober, request, target};

const NAME: &str = "www.example.com";
const OK: &str = "Success: HTTP Status Code 200, OK";

/// A certificate for a name, signed by itself, and a server that has it.
fn certified(params: &CertificateParams) -> (CertificateDer<'static>, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let secret = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], secret.into())
        .unwrap();
    (certificate, TlsAcceptor::from(Arc::new(config)))
}

fn params() -> CertificateParams {
    CertificateParams::new([NAME.to_owned()]).unwrap()
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    request(&mut stream).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nneedle").await;
    let _ = stream.flush().await;
    // Closed without a word, as many do.
}

async fn serving(acceptor: TlsAcceptor) -> Scene {
    endpoint(move |stream| answer(acceptor.clone(), stream)).await
}

fn named(scene: &Scene) -> Target {
    let mut target = target(scene.address, Protocol::Https);
    target.endpoint.domain_name = Some(NAME.to_owned());
    target
}

#[tokio::test]
async fn any_certificate_will_do() {
    let mut old = params();
    old.not_after = date_time_ymd(2001, 1, 1);
    for params in [params(), old] {
        let scene = serving(certified(&params).1).await;
        let seen = observe(&prober(), &named(&scene)).await;
        assert_eq!(seen.status(), OK);
        assert!(seen.times.tls_us.is_some() && seen.times.first_byte_us.is_some());
        let by_address = target(scene.address, Protocol::Https);
        assert_eq!(find(&by_address).await.to_string(), OK);
    }
}

#[tokio::test]
async fn a_string_may_stand_before_an_end_without_a_word() {
    let scene = serving(certified(&params()).1).await;
    let mut target = named(&scene);
    for (wanted, found) in [
        ("needle", Found::Answered(200)),
        ("haystack", Found::StringMissing(200)),
    ] {
        target.endpoint.search_string = Some(wanted.to_owned());
        assert_eq!(find(&target).await, found);
    }
}

#[tokio::test]
async fn a_certificate_that_is_to_be_valid() {
    let mut old = params();
    old.not_after = date_time_ymd(2001, 1, 1);
    let mut early = params();
    early.not_before = date_time_ymd(2999, 1, 1);
    early.not_after = date_time_ymd(3000, 1, 1);
    for (params, name, text) in [
        (params(), NAME, OK),
        (
            params(),
            "other.example.com",
            "Failure: SSL certificate is for another name",
        ),
        (old, NAME, "Failure: SSL certificate expired"),
        (early, NAME, "Failure: SSL certificate not valid yet"),
    ] {
        let (certificate, acceptor) = certified(&params);
        let scene = serving(acceptor).await;
        let mut target = named(&scene);
        target.endpoint.domain_name = Some(name.to_owned());
        target.certificate = Certificate::Valid;
        let mut prober = prober();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        prober.tls = Tls::new(roots).unwrap();
        assert_eq!(observe(&prober, &target).await.status(), text);
    }
}

#[tokio::test]
async fn nobody_vouches_for_a_certificate_that_is_to_be_valid() {
    let scene = serving(certified(&params()).1).await;
    let mut target = named(&scene);
    target.certificate = Certificate::Valid;
    let text = find(&target).await.to_string();
    assert_eq!(text, "Failure: SSL certificate is from an unknown issuer");
}

/// What the client says first, as far as it has come.
async fn hello(stream: &TcpStream) -> Vec<u8> {
    let mut hello = vec![0; 4096];
    let len = stream.peek(&mut hello).await.unwrap_or_default();
    hello.truncate(len);
    hello
}

/// It does not know the name, says so with this alert, and serves who tells none.
async fn picky(alert: u8) -> Scene {
    let acceptor = certified(&params()).1;
    endpoint(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            let hello = hello(&stream).await;
            if hello.windows(NAME.len()).any(|w| w == NAME.as_bytes()) {
                let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, alert]).await;
                let _ = stream.read(&mut [0; 4096]).await;
            } else {
                answer(acceptor, stream).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn without_the_name_again_when_it_is_not_known() {
    let scene = picky(112).await;
    assert_eq!(find(&named(&scene)).await.to_string(), OK);
    assert_eq!(scene.seen(), 2);
    let mut silent = named(&scene);
    silent.endpoint.enable_sni = false;
    assert_eq!(find(&silent).await.to_string(), OK);
    assert_eq!(scene.seen(), 3);
    let scene = picky(40).await;
    let text = find(&named(&scene)).await.to_string();
    assert_eq!(text, "Failure: SSL alert handshake_failure");
    assert_eq!(scene.seen(), 1);
}

#[tokio::test]
async fn who_never_knows_the_name_is_asked_twice_and_no_more() {
    let scene = endpoint(|mut stream| async move {
        hello(&stream).await;
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 112]).await;
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    let text = find(&named(&scene)).await.to_string();
    assert_eq!(text, "Failure: SSL alert unrecognized_name");
    assert_eq!(scene.seen(), 2);
}

#[tokio::test]
async fn who_does_not_speak_tls_is_found_out() {
    let not_tls = "Failure: SSL handshake failed: what came is not TLS";
    for (said, text) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], not_tls),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", not_tls),
        (&[22, 3, 3, 0x50, 0], not_tls),
        (
            &[21, 3, 3, 0, 2, 2, 70],
            "Failure: SSL alert protocol_version",
        ),
        (&[21, 3, 3, 0, 2, 2, 200], "Failure: SSL alert 200"),
        (
            b"",
            "Failure: Connection closed before the end of the response",
        ),
    ] {
        let scene = endpoint(move |mut stream| async move {
            hello(&stream).await;
            let _ = stream.write_all(said).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        assert_eq!(find(&named(&scene)).await.to_string(), text, "{said:?}");
    }
}

#[tokio::test]
async fn handshakes_without_end() {
    let scene = endpoint(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let late = "Failure: SSL handshake timed out";
    assert_eq!(find(&named(&scene)).await.to_string(), late);
    // A message of 16 MB, in as many records as one wants.
    let scene = endpoint(|mut stream| async move {
        hello(&stream).await;
        let mut said = stream
            .write_all(&[22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff])
            .await;
        let record = [&[22, 3, 3, 0x10, 0][..], &[0; 4096]].concat();
        while said.is_ok() {
            said = stream.write_all(&record).await;
        }
    })
    .await;
    let text = find(&named(&scene)).await.to_string();
    assert!(text.starts_with("Failure: SSL handshake failed"), "{text}");
    let scene = endpoint(|stream| async move {
        hello(&stream).await;
        let _ = stream.set_zero_linger();
    })
    .await;
    let text = find(&named(&scene)).await.to_string();
    assert_eq!(text, "Failure: Connection reset");
}
