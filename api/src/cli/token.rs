//! `pruefpfad token`: an access token for trying things out.

use anyhow::{Context as _, bail};
use audit::access::Membership;
use chrono::TimeDelta;

use super::{Surroundings, TokenArgs};
use crate::auth::{DevelopmentKey, TokenRequest};
use crate::config::{Mode, Settings};

/// A token for the membership that the arguments name.
pub(super) fn issue(
    arguments: &TokenArgs,
    settings: &Settings,
    surroundings: &Surroundings,
) -> anyhow::Result<String> {
    let language = surroundings.language;
    if settings.mode == Mode::Production {
        bail!(language.say(
            "Im Produktivbetrieb stellt nur Ihr Anmeldedienst Token aus.",
            "In production only your identity provider issues tokens.",
        ));
    }
    let mut membership = Membership::new(arguments.role, arguments.bezirksstelle.as_deref())?;
    if arguments.own_staff {
        membership = membership.handling_own_staff()?;
    }
    if !settings.auth.development_key {
        super::complain(language.say(
            "Hinweis: Der Dienst nimmt dieses Token nur mit auth.development_key = true an (PRUEFPFAD__AUTH__DEVELOPMENT_KEY=true).",
            "Note: the service accepts this token only with auth.development_key = true (PRUEFPFAD__AUTH__DEVELOPMENT_KEY=true).",
        ));
    }
    let file = &settings.auth.development_key_file;
    let key = DevelopmentKey::open(file).with_context(|| {
        format!(
            "{} {}",
            language.say(
                "Entwicklungsschlüssel nicht lesbar:",
                "development key not readable:"
            ),
            file.display()
        )
    })?;
    let request = TokenRequest {
        subject: arguments.subject.clone().unwrap_or_else(|| subject(&membership)),
        name: arguments.name.clone(),
        memberships: vec![membership],
        lifetime: TimeDelta::minutes(i64::from(arguments.minutes)),
    };
    Ok(key.issue(&settings.auth, &request, (surroundings.now)())?)
}

/// One person for each membership, so that four eyes are two people.
fn subject(membership: &Membership) -> String {
    membership
        .to_string()
        .to_ascii_lowercase()
        .replace([':', '_', '+'], "-")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audit::access::Role;
    use chrono::DateTime;

    use super::*;
    use crate::auth::verifier;
    use crate::config::Layers;
    use crate::language::Language;

    #[test]
    fn a_token_opens_the_service_of_the_same_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Layers::default().load().unwrap().settings;
        settings.auth.development_key = true;
        settings.auth.development_key_file = folder.path().join("key.pem");
        let surroundings = Surroundings {
            language: Language::En,
            now: Arc::new(|| DateTime::UNIX_EPOCH),
        };
        let mut arguments = TokenArgs {
            role: Role::Sachbearbeitung,
            bezirksstelle: Some("03".to_owned()),
            own_staff: false,
            subject: None,
            name: None,
            minutes: 1,
        };
        let token = issue(&arguments, &settings, &surroundings).unwrap();
        let identity = verifier(&settings.auth, Arc::clone(&surroundings.now))
            .unwrap()
            .verify(&token)
            .unwrap();
        assert_eq!(
            (identity.subject.as_str(), identity.expires_at.timestamp()),
            ("sachbearbeitung-03", 60)
        );

        arguments.bezirksstelle = None;
        assert!(
            issue(&arguments, &settings, &surroundings)
                .unwrap_err()
                .to_string()
                .contains("SACHBEARBEITUNG:03")
        );
        settings.mode = Mode::Production;
        assert!(issue(&arguments, &settings, &surroundings).is_err());
    }
}
