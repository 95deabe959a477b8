//! The help texts as people see them: German, or the English ones of the code.

use clap::{Arg, Command, CommandFactory as _};

use super::Cli;
use crate::language::Language;

/// Path of a command or argument, and its text.
const GERMAN: &[(&str, &str)] = &[
    (
        "",
        "Zugang zum Verwaltungs-, Kontroll- und Steuerungssystem eines kommunalen Jobcenters",
    ),
    ("--config", "Konfigurationsdatei (TOML)"),
    (
        "--set",
        "Eine Einstellung, z. B. --set limits.depth=10; mehrfach möglich",
    ),
    (
        "--database_url",
        "Adresse der Datenbank: sqlite://PFAD oder postgres://BENUTZER@RECHNER/DATENBANK",
    ),
    ("--log_level", "Filter der Protokollzeilen, z. B. info,api=debug"),
    ("--listen", "Adresse und Port, auf denen der Dienst lauscht"),
    ("serve", "Dienst starten"),
    (
        "serve --migrate",
        "Fehlende Migrationen vorher ausführen, statt den Start zu verweigern",
    ),
    (
        "demo",
        "Vorführ-Jobcenter anlegen, je Rolle ein Token ausgeben und Dienst starten",
    ),
    (
        "demo --directory",
        "Ordner für Datenbank und Schlüssel der Vorführung",
    ),
    ("demo --lines", "Zahlungszeilen der Vorführ-Grundgesamtheit"),
    (
        "demo --prepare_only",
        "Alles anlegen und Token ausgeben, aber nicht starten",
    ),
    ("migrate", "Datenbankschema ändern oder seinen Stand nennen"),
    ("migrate up", "Alle fehlenden Migrationen ausführen"),
    (
        "migrate status",
        "Migrationen mit ihrem Stand auflisten; Exitcode 1, wenn welche fehlen",
    ),
    ("schema", "GraphQL-Schema dieses Programms"),
    ("schema print", "Schema ausgeben"),
    (
        "schema check",
        "Schema mit einer Datei vergleichen; Exitcode 1 bei Unterschieden",
    ),
    ("schema check --file", "Die Datei"),
    ("import", "Grundgesamtheit aus einer CSV-Datei einlesen"),
    ("import --engagement", "Nummer der Prüfung, z. B. P-2026-001"),
    (
        "import --population",
        "Name der Grundgesamtheit; wird angelegt, wenn es sie nicht gibt",
    ),
    ("import --unit", "Was eine Zeile ist"),
    ("import --mapping", "Bedeutung der Spalten (JSON)"),
    (
        "import --subject",
        "Person, in deren Namen der Import im Prüfpfad steht",
    ),
    ("import --file", "Die CSV-Datei"),
    ("export", "Eine Liste als Datei schreiben"),
    (
        "export log",
        "Das ganze Log bis zum letzten Prüfpunkt, als JSON-Zeilen",
    ),
    ("export log --output", "Zieldatei; sonst Standardausgabe"),
    (
        "export log --subject",
        "Person, in deren Namen das Log gelesen wird",
    ),
    ("retention", "Löschen, was nicht länger aufbewahrt wird"),
    (
        "retention run",
        "Leseprotokolle löschen, deren Frist abgelaufen ist, und es im Prüfpfad festhalten",
    ),
    ("retention run --dry_run", "Nur nennen, was fällig ist"),
    (
        "retention run --subject",
        "Person, in deren Namen der Lauf im Prüfpfad steht",
    ),
    ("export sample-items", "Die Elemente einer Stichprobe"),
    ("export sample-items --sample", "Id der Stichprobe"),
    ("export sample-items --format", "Form der Datei"),
    ("export sample-items --output", "Zieldatei; sonst Standardausgabe"),
    (
        "export sample-items --subject",
        "Person, in deren Namen die Liste gelesen wird",
    ),
    (
        "token",
        "Zugangstoken ausgeben, unterschrieben mit dem Entwicklungsschlüssel",
    ),
    ("token --role", "Rolle, z. B. INNENREVISION"),
    (
        "token --bezirksstelle",
        "Nummer der Bezirksstelle, für örtliche Rollen",
    ),
    (
        "token --own_staff",
        "In der Gruppe, die Fälle des eigenen Personals bearbeitet",
    ),
    (
        "token --subject",
        "Wer das Token hält; sonst eine Person je Rolle",
    ),
    ("token --name", "Name der Person"),
    ("token --minutes", "Gültigkeit in Minuten"),
    (
        "ceremony",
        "Was eine Beteiligte an einer Ziehung am eigenen Arbeitsplatz braucht, ohne Datenbank und Dienst",
    ),
    (
        "ceremony commit",
        "Beitrag zum Startwert einer Ziehung erzeugen: frisches Salz und Festlegung als JSON, aufzubewahren bis zum Öffnen",
    ),
    ("ceremony commit --plan_digest", "Prüfsumme des Plans"),
    (
        "ceremony commit --party",
        "Name der Beteiligten, genau wie im Plan",
    ),
    (
        "ceremony commit --text",
        "Ein Text eigener Wahl, bis 1.000 Zeichen",
    ),
    (
        "ceremony round",
        "Die erste Runde des Zufallsdienstes drand nach einem Zeitpunkt, für einen Plan",
    ),
    ("ceremony round --chain", "Name oder Hashwert der Kette"),
    (
        "ceremony round --after",
        "Der Zeitpunkt, z. B. 2026-12-01T10:00:00Z",
    ),
    (
        "redraw",
        "Eine Ziehung aus Ziehungsdatei und Ziehungsprotokoll wiederholen, ohne Datenbank und Dienst; Exitcode 0: wie aufgezeichnet, 1: nicht, 2: nicht wiederholt",
    ),
    ("redraw --file", "Die Ziehungsdatei (CSV)"),
    ("redraw --record", "Das Ziehungsprotokoll (JSON)"),
    (
        "redraw --root",
        "Wurzel der festgeschriebenen Grundgesamtheit, auf anderem Weg bekannt: Bericht, Prüfpunkt, Niederschrift",
    ),
    ("redraw --plan", "Prüfsumme des Plans, auf anderem Weg bekannt"),
    ("redraw --json", "Antwort als JSON"),
    (
        "calculate",
        "Rechnen: je Zeile der Standardeingabe eine JSON-Anfrage, je Zeile eine JSON-Antwort; ohne Datenbank und Konfiguration",
    ),
    (
        "calculate --describe",
        "Alle Rechner mit Methoden, Feldern, Einheiten und Quelle als JSON ausgeben",
    ),
    ("log-key", "Schlüssel, der das Log des Prüfpfads unterschreibt"),
    (
        "log-key new",
        "Schlüssel in einer neuen Datei anlegen, die nur ihr Besitzer lesen darf",
    ),
    ("log-key new --file", "Die Datei"),
    (
        "log-key show",
        "Prüfschlüssel des eingestellten Logs ausgeben, den unterschreibenden zuerst",
    ),
    (
        "verify",
        "Prüfen, was das Log ausgab, ohne Datenbank und Dienst; Exitcode 0: in Ordnung, 1: nicht, 2: nicht geprüft",
    ),
    (
        "verify --keys",
        "Prüfschlüssel des Logs, auf anderem Weg erhalten; mehrfach, wenn er ersetzt wurde",
    ),
    (
        "verify --witnesses",
        "Prüfschlüssel eines Zeugen, der mitunterschrieben haben muss, vom Zeugen erhalten; mehrfach möglich",
    ),
    (
        "verify --quorum",
        "Wie viele der Zeugen mitunterschrieben haben müssen; sonst alle",
    ),
    ("verify --json", "Antwort als JSON"),
    (
        "verify checkpoint",
        "Ein Prüfpunkt, und ob er auf aufbewahrte Prüfpunkte folgen kann",
    ),
    ("verify checkpoint --file", "Der Prüfpunkt"),
    (
        "verify checkpoint --kept",
        "Ein früher aufbewahrter Prüfpunkt; mehrfach möglich",
    ),
    ("verify inclusion", "Nachweis, dass ein Eintrag im Log steht"),
    ("verify inclusion --file", "Der Nachweis (tlog-proof)"),
    (
        "verify inclusion --commitment",
        "Festlegung des Eintrags, hexadezimal; nötig, wenn der Eintrag gelöscht wurde",
    ),
    (
        "verify consistency",
        "Nachweis, dass das Log seit einem Prüfpunkt nur gewachsen ist",
    ),
    ("verify consistency --old", "Der ältere Prüfpunkt"),
    (
        "verify consistency --file",
        "Der Nachweis mit dem neueren Prüfpunkt",
    ),
    ("verify export", "Ein Export des ganzen Logs"),
    ("verify export --file", "Der Export (JSON-Zeilen)"),
    (
        "verify export --kept",
        "Ein früher aufbewahrter Prüfpunkt; mehrfach möglich",
    ),
    (
        "witness",
        "Als Zeuge die Prüfpunkte von Logs mitunterschreiben, ohne Datenbank und Konfiguration (C2SP tlog-witness)",
    ),
    (
        "witness --name",
        "Name des Zeugen, für immer: seine öffentliche Adresse ohne https://",
    ),
    (
        "witness --key_file",
        "Datei seines Schlüssels; entsteht beim ersten Start",
    ),
    (
        "witness --state",
        "Ordner für das zuletzt Mitunterschriebene, das nicht verloren gehen darf",
    ),
    (
        "witness --logs",
        "Prüfschlüssel eines Logs, das er bezeugt; mehrfach, auch für den neuen Schlüssel eines Logs",
    ),
    ("config", "Konfiguration"),
    (
        "config print",
        "Wirksame Konfiguration mit Herkunft jedes Werts und ohne Geheimnisse ausgeben",
    ),
    (
        "doctor",
        "Konfiguration, Schlüssel und Datenbank prüfen und sagen, was zu tun ist",
    ),
    (
        "doctor --rows",
        "Jede Zeile mit dem vergleichen, was der Prüfpfad hinterließ: findet, was am Dienst vorbei geändert, entfernt oder eingefügt wurde",
    ),
    (
        "healthcheck",
        "Einen laufenden Dienst fragen, ob er bereit ist; Exitcode 0 oder 1",
    ),
    (
        "healthcheck --url",
        "Adresse des Dienstes; sonst die, auf der er hier lauscht",
    ),
    ("healthcheck --timeout_seconds", "Wie lange gewartet wird"),
];

/// What the parser adds by itself, and its text.
const ADDED: &[(&str, &str)] = &[
    ("help", "Diese Hilfe ausgeben, oder die eines Befehls"),
    ("version", "Version ausgeben"),
    ("subcommand", "Befehl, zu dem Hilfe ausgegeben wird"),
];

const GERMAN_TEMPLATE: &str = "{about}\n\nAufruf: {usage}\n\n{all-args}{after-help}";

/// The command line with the help texts of a language.
pub(super) fn command(language: Language) -> Command {
    match language {
        Language::De => {
            let mut command = Cli::command();
            // With what the parser adds by itself.
            command.build();
            german(command, "")
        }
        Language::En => Cli::command(),
    }
}

fn text(path: &str) -> Option<&'static str> {
    let of = |texts: &[(&str, &'static str)], name: &str| {
        let found = texts.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| *text)
    };
    let name = path.rsplit([' ', '-']).next().unwrap_or(path);
    of(GERMAN, path).or_else(|| of(ADDED, name))
}

fn german(mut command: Command, path: &str) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage
        .trim_start_matches("Usage:")
        .replace("[OPTIONS]", "[OPTIONEN]")
        .replace("<COMMAND>", "<BEFEHL>");
    let mut command = command
        .override_usage(usage.trim().to_owned())
        .help_template(GERMAN_TEMPLATE)
        .subcommand_help_heading("Befehle");
    if let Some(about) = text(path) {
        command = command.about(about);
    }
    command = command.mut_args(|argument| {
        let heading = if argument.is_positional() {
            "Argumente"
        } else {
            "Optionen"
        };
        let name = format!("--{}", argument.get_id());
        // Those of the program can stand behind each of its commands.
        let text = text(format!("{path} {name}").trim_start()).or_else(|| text(&name));
        let text = text.unwrap_or_default();
        let text = format!("{text}{}", choices(&argument));
        let argument = argument.help(text).help_heading(heading);
        argument.hide_default_value(true).hide_possible_values(true)
    });
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in names {
        let inner = format!("{path} {name}").trim_start().to_owned();
        command = command.mut_subcommand(name, |command| german(command, &inner));
    }
    command
}

/// What an argument may be, and what it is where it is not given.
fn choices(argument: &Arg) -> String {
    let possible: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let usual: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let told = |word: &str, words: &[String]| match words {
        [] => String::new(),
        words => format!(" [{word}: {}]", words.join(", ")),
    };
    [told("sonst", &usual), told("möglich", &possible)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(command: &Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for argument in command.get_arguments() {
            found.push(format!("{path} --{}", argument.get_id()).trim_start().to_owned());
        }
        for inner in command.get_subcommands() {
            paths(inner, format!("{path} {}", inner.get_name()).trim_start(), found);
        }
    }

    #[test]
    fn every_text_is_told_in_german() {
        let mut found = Vec::new();
        paths(&Cli::command(), "", &mut found);
        let missing: Vec<_> = found.iter().filter(|path| text(path).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let surplus: Vec<_> = GERMAN
            .iter()
            .filter(|(path, _)| !found.iter().any(|known| known == path))
            .collect();
        assert!(surplus.is_empty(), "{surplus:?}");
    }

    #[test]
    fn help_is_german_unless_asked() {
        let help = |language| command(language).render_help().to_string();
        assert!(help(Language::De).contains("Dienst starten"));
        assert!(help(Language::En).contains("Serve the API"));
        let text = help(Language::De)
            + &command(Language::De)
                .find_subcommand_mut("token")
                .unwrap()
                .render_help()
                .to_string();
        for word in [
            "Option:",
            "Options",
            "OPTIONS",
            "Usage",
            "COMMAND",
            "Print",
            "default",
            "Arguments",
            "Commands",
        ] {
            assert!(!text.contains(word), "{text}");
        }
        command(Language::De).debug_assert();
    }
}
