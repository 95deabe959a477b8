//! `pruefpfad healthcheck`: the probe of an image that holds no other program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use super::HealthcheckArgs;
use crate::config::Settings;
use crate::language::Language;

/// Asks `/health/ready`.
pub(super) async fn run(
    arguments: &HealthcheckArgs,
    settings: &Settings,
    language: Language,
) -> anyhow::Result<ExitCode> {
    let base = arguments
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}", reachable(settings.server.listen)));
    let url = format!("{}/health/ready", base.trim_end_matches('/'));
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(arguments.timeout_seconds))
        .no_proxy()
        .build()?;
    match client.get(&url).send().await {
        Ok(answer) if answer.status().is_success() => Ok(ExitCode::SUCCESS),
        Ok(answer) => {
            let status = answer.status().as_u16();
            let report = answer.text().await.unwrap_or_default();
            super::complain(&format!(
                "{} ({status}): {report}",
                language.say("nicht bereit", "not ready")
            ));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            super::complain(&format!(
                "{}: {error}",
                language.say("nicht erreichbar", "not reachable")
            ));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The address under which this host reaches a service that listens on all addresses.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpServer};

    use super::*;
    use crate::config::Layers;
    use crate::http::{Readiness, health_routes};

    #[actix_web::test]
    async fn the_exit_code_says_whether_the_service_is_ready() {
        let settings = Layers::default().load().unwrap().settings;
        for (ready, expected) in [(Ok(()), ExitCode::SUCCESS), (Err("pending"), ExitCode::FAILURE)] {
            let server = HttpServer::new(move || {
                App::new().configure(health_routes(
                    Readiness::default().with("database", move || std::future::ready(ready)),
                ))
            })
            .workers(1)
            .bind("127.0.0.1:0")
            .unwrap();
            let url = format!("http://{}", server.addrs()[0]);
            let server = server.run();
            let handle = server.handle();
            tokio::spawn(server);
            let arguments = HealthcheckArgs {
                url: Some(url),
                timeout_seconds: 5,
            };
            assert_eq!(run(&arguments, &settings, Language::En).await.unwrap(), expected);
            handle.stop(false).await;
            assert_eq!(
                run(&arguments, &settings, Language::En).await.unwrap(),
                ExitCode::FAILURE
            );
        }
    }

    #[test]
    fn all_addresses_are_reached_through_the_loopback() {
        assert_eq!(reachable("0.0.0.0:1".parse().unwrap()).to_string(), "127.0.0.1:1");
        assert_eq!(reachable("[::]:1".parse().unwrap()).to_string(), "[::1]:1");
        assert_eq!(
            reachable("192.0.2.1:1".parse().unwrap()).to_string(),
            "192.0.2.1:1"
        );
    }
}
