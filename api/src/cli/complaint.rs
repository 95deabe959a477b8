//! What is wrong with a command line, in German. In English it is the parser that says so.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What is wrong, how the command is called, and where help is. None where the parser has no complaint but an answer: help, version.
pub(super) fn german(error: &Error) -> Option<String> {
    let said = |kind| told(error, kind).unwrap_or_default();
    let argument = said(ContextKind::InvalidArg);
    let value = said(ContextKind::InvalidValue);
    let what = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion => return None,
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("{argument} braucht einen Wert{}", choice(error))
        }
        ErrorKind::InvalidValue => format!("{argument} kann nicht »{value}« sein{}", choice(error)),
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(|why| format!(": {why}"));
            format!("{argument} kann nicht »{value}« sein{}", why.unwrap_or_default())
        }
        ErrorKind::UnknownArgument => format!("{argument} gibt es hier nicht{}", choice(error)),
        ErrorKind::InvalidSubcommand => {
            let name = said(ContextKind::InvalidSubcommand);
            format!("Den Befehl »{name}« gibt es nicht{}", choice(error))
        }
        ErrorKind::MissingSubcommand => format!("Es fehlt ein Befehl{}", choice(error)),
        ErrorKind::MissingRequiredArgument => format!("Es fehlt: {argument}"),
        ErrorKind::ArgumentConflict if argument == said(ContextKind::PriorArg) => {
            format!("{argument} darf nur einmal stehen")
        }
        ErrorKind::ArgumentConflict => {
            format!("{argument} passt nicht zu {}", said(ContextKind::PriorArg))
        }
        ErrorKind::NoEquals => format!("{argument} braucht ein Gleichheitszeichen vor dem Wert"),
        ErrorKind::TooManyValues => format!("Für {argument} ist »{value}« ein Wert zu viel"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            let expected = [ContextKind::MinValues, ContextKind::ExpectedNumValues];
            let expected = expected.into_iter().find_map(|kind| told(error, kind));
            format!("{argument} braucht {} Werte", expected.unwrap_or_default())
        }
        ErrorKind::InvalidUtf8 => "Ein Argument ist nicht in UTF-8".to_owned(),
        _ => error.kind().to_string(),
    };
    let usage = said(ContextKind::Usage).replacen("Usage:", "Aufruf:", 1);
    let usage = if usage.is_empty() {
        usage
    } else {
        format!("{usage}\n\n")
    };
    Some(format!("Fehler: {what}\n\n{usage}Mehr sagt --help.\n"))
}

/// What can stand there instead.
fn choice(error: &Error) -> String {
    let valid = [ContextKind::ValidValue, ContextKind::ValidSubcommand];
    let meant = [
        ContextKind::SuggestedValue,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
    ];
    let find = |kinds: &[ContextKind]| kinds.iter().find_map(|kind| told(error, *kind));
    [
        ("möglich:", find(&valid)),
        ("gemeint ist vielleicht", find(&meant)),
    ]
    .into_iter()
    .filter_map(|(word, told)| Some(format!("; {word} {}", told?)))
    .collect()
}

fn told(error: &Error, kind: ContextKind) -> Option<String> {
    let text = match error.get(kind)? {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::StyledStrs(texts) => texts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        ContextValue::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use crate::cli::help::command;
    use crate::language::Language;

    fn said(line: &str) -> String {
        let error = command(Language::De)
            .try_get_matches_from(line.split(' '))
            .unwrap_err();
        super::german(&error).unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_is_told_in_german() {
        for (line, what) in [
            (
                "pruefpfad serve --listn",
                "Fehler: --listn gibt es hier nicht; gemeint ist vielleicht --listen\n",
            ),
            (
                "pruefpfad servce",
                "Fehler: Den Befehl »servce« gibt es nicht; gemeint ist vielleicht serve\n",
            ),
            (
                "pruefpfad token --role BUDGET --minutes x",
                "Fehler: --minutes <MINUTES> kann nicht »x« sein: ",
            ),
            (
                "pruefpfad export sample-items --sample s --format pdf",
                "Fehler: --format <FORMAT> kann nicht »pdf« sein; möglich: csv\n",
            ),
            (
                "pruefpfad export sample-items --sample",
                "Fehler: --sample <ID> braucht einen Wert",
            ),
            ("pruefpfad log-key new", "Fehler: Es fehlt: <FILE>\n"),
            (
                "pruefpfad serve --migrate --migrate",
                "Fehler: --migrate darf nur einmal stehen\n",
            ),
        ] {
            let text = said(line);
            assert!(text.starts_with(what), "{line}: {text}");
            assert!(text.ends_with("\n\nMehr sagt --help.\n"), "{text}");
            assert!(!text.contains("Usage") && !text.contains("error"), "{text}");
        }
        assert_eq!(said("pruefpfad serve --help"), "");
        assert_eq!(said("pruefpfad --version"), "");
    }
}
