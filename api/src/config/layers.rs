//! Where values come from: defaults, file, environment, flags; the later one wins, key by key.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use config::{Config, File, FileFormat, Map, Source, Value, ValueKind};

use super::key::{KEYS, Key, Kind, PREFIX};
use super::{Problem, Settings};
use crate::language::Language;

const DEFAULTS: &str = include_str!("defaults.toml");

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// A file or value could not be read; the text names it.
    Unreadable(String),
    /// Values were read and cannot be used.
    Invalid(Vec<Problem>),
}

impl ConfigError {
    /// The message to the operator, one line a problem.
    pub fn text(&self, language: Language) -> String {
        match self {
            Self::Unreadable(what) => format!(
                "{}: {what}",
                language.say("Konfiguration nicht lesbar", "configuration not readable")
            ),
            Self::Invalid(problems) => {
                let mut text = language
                    .say("Konfiguration nicht brauchbar:", "configuration not usable:")
                    .to_owned();
                for problem in problems {
                    text.push_str("\n  ");
                    text.push_str(&problem.text(language));
                }
                text
            }
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text(Language::En))
    }
}

impl std::error::Error for ConfigError {}

impl From<config::ConfigError> for ConfigError {
    fn from(error: config::ConfigError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// What was given besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// Environment variables; those that do not start with `PRUEFPFAD__` are ignored.
    pub environment: BTreeMap<String, String>,
    /// Flags: name of the flag, setting, text.
    pub flags: Vec<(String, String, String)>,
}

/// A usable configuration, and where each value came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub settings: Settings,
    pub(super) tree: Value,
}

impl Layers {
    /// Reads, merges and checks everything.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let loaded = self.load_unchecked()?;
        let problems = loaded.settings.validate();
        if problems.is_empty() {
            Ok(loaded)
        } else {
            Err(ConfigError::Invalid(problems))
        }
    }

    /// Reads and merges without the rules of the sections, so that `config print` can show what is wrong.
    pub fn load_unchecked(&self) -> Result<Loaded, ConfigError> {
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = &self.file {
            builder = builder.add_source(FileLayer(from_file(path)?));
        }
        let mut problems = Vec::new();
        let environment = self.environment_layer(&mut problems);
        let flags = self.flag_layer(&mut problems);
        let tree = builder.add_source(environment).add_source(flags).build()?.cache;
        refuse_unknown(&tree, &mut problems);
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        let mut settings: Settings = tree.clone().try_deserialize()?;
        if let Some(path) = &settings.database.url_file {
            settings.database.url = read_secret("database.url_file", path)?.into();
        }
        if let Some(path) = &settings.secrets.case_key_file {
            settings.secrets.case_key = Some(read_secret("secrets.case_key_file", path)?.into());
        }
        if let Some(path) = &settings.secrets.log_key_file {
            settings.secrets.log_key = Some(read_secret("secrets.log_key_file", path)?.into());
        }
        if let Some(path) = &settings.secrets.grant_key_file {
            settings.secrets.grant_key = Some(read_secret("secrets.grant_key_file", path)?.into());
        }
        Ok(Loaded { settings, tree })
    }

    fn environment_layer(&self, problems: &mut Vec<Problem>) -> Layer {
        let mut layer = Layer::default();
        for (variable, text) in &self.environment {
            // An empty variable is how compose files and units spell "not set".
            let Some(path) = variable.strip_prefix(PREFIX).filter(|_| !text.is_empty()) else {
                continue;
            };
            let path = path.to_ascii_lowercase().replace("__", ".");
            layer.insert(&path, text, variable, problems);
        }
        layer
    }

    fn flag_layer(&self, problems: &mut Vec<Problem>) -> Layer {
        let mut layer = Layer::default();
        for (flag, path, text) in &self.flags {
            layer.insert(path, text, flag, problems);
        }
        layer
    }
}

/// The values of a file, each with the file's path as people gave it.
fn from_file(path: &Path) -> Result<Value, ConfigError> {
    let unreadable =
        |error: &dyn fmt::Display| ConfigError::Unreadable(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let parsed = Config::builder()
        .add_source(File::from_str(&text, FileFormat::Toml))
        .build()
        .map_err(|error| unreadable(&error))?;
    Ok(with_origin(parsed.cache, &path.display().to_string()))
}

fn with_origin(value: Value, origin: &String) -> Value {
    let kind = match value.kind {
        ValueKind::Table(table) => ValueKind::Table(
            table
                .into_iter()
                .map(|(name, value)| (name, with_origin(value, origin)))
                .collect(),
        ),
        ValueKind::Array(items) => {
            ValueKind::Array(items.into_iter().map(|item| with_origin(item, origin)).collect())
        }
        kind => kind,
    };
    Value::new(Some(origin), kind)
}

#[derive(Debug, Clone)]
struct FileLayer(Value);

impl Source for FileLayer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        self.0.clone().into_table()
    }
}

fn read_secret(key: &str, path: &Path) -> Result<String, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(ConfigError::Invalid(vec![Problem::new(
            key,
            format!(
                "{} ist nicht lesbar ({error}). Prüfen Sie Pfad und Rechte des Dienstbenutzers.",
                path.display()
            ),
            format!(
                "{} is not readable ({error}). Check the path and the rights of the service's user.",
                path.display()
            ),
        )])),
    }
}

fn unknown(path: &str, origin: &str) -> Problem {
    Problem::new(
        path,
        format!("unbekannte Einstellung ({origin}). `pruefpfad config print` zeigt alle."),
        format!("unknown setting ({origin}). `pruefpfad config print` shows all."),
    )
}

/// Values of one layer, each with its origin.
#[derive(Debug, Clone, Default)]
struct Layer(BTreeMap<&'static str, Value>);

impl Layer {
    fn insert(&mut self, path: &str, text: &str, origin: &str, problems: &mut Vec<Problem>) {
        let Some(key) = Key::find(path) else {
            problems.push(unknown(path, origin));
            return;
        };
        let from = origin.to_owned();
        let kind = match key.kind {
            Kind::Plain | Kind::Address | Kind::Secret => ValueKind::String(text.to_owned()),
            Kind::List => ValueKind::Array(
                text.split(',')
                    .map(|item| Value::new(Some(&from), ValueKind::String(item.trim().to_owned())))
                    .collect(),
            ),
            Kind::Json => match serde_json::from_str(text) {
                Ok(json) => from_json(&json, &from).kind,
                Err(error) => {
                    problems.push(Problem::new(
                        path,
                        format!("{origin} ist kein JSON: {error}."),
                        format!("{origin} is no JSON: {error}."),
                    ));
                    return;
                }
            },
        };
        self.0.insert(key.path, Value::new(Some(&from), kind));
    }
}

fn from_json(json: &serde_json::Value, origin: &String) -> Value {
    let kind = match json {
        serde_json::Value::Null => ValueKind::Nil,
        serde_json::Value::Bool(value) => ValueKind::Boolean(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(value) => ValueKind::I64(value),
            None => ValueKind::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => ValueKind::String(text.clone()),
        serde_json::Value::Array(items) => {
            ValueKind::Array(items.iter().map(|item| from_json(item, origin)).collect())
        }
        serde_json::Value::Object(fields) => ValueKind::Table(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), from_json(value, origin)))
                .collect(),
        ),
    };
    Value::new(Some(origin), kind)
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self
            .0
            .iter()
            .map(|(path, value)| ((*path).to_owned(), value.clone()))
            .collect())
    }
}

/// The origin of a value as people read it. Tables grow over several layers: theirs are those of what they hold.
pub(super) fn origin(value: &Value) -> String {
    match &value.kind {
        ValueKind::Table(table) if !table.is_empty() => {
            let origins: std::collections::BTreeSet<_> = table.values().map(origin).collect();
            origins.into_iter().collect::<Vec<_>>().join(", ")
        }
        _ => value.origin().unwrap_or("default").to_owned(),
    }
}

fn refuse_unknown(tree: &Value, problems: &mut Vec<Problem>) {
    let ValueKind::Table(sections) = &tree.kind else {
        return;
    };
    for (name, section) in sections {
        if Key::find(name).is_some() {
            continue;
        }
        match &section.kind {
            ValueKind::Table(values) if KEYS.iter().any(|key| key.path.split('.').next() == Some(name)) => {
                for (key, value) in values {
                    let path = format!("{name}.{key}");
                    if Key::find(&path).is_none() {
                        problems.push(unknown(&path, &origin(value)));
                    }
                }
            }
            _ => problems.push(unknown(name, &origin(section))),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::{Introspection, JobcenterPreset, KeyAlgorithm, LogFormat, Mode, print};
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Layers {
        Layers {
            environment: pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..Layers::default()
        }
    }

    fn problems(layers: &Layers) -> Vec<String> {
        match layers.load() {
            Err(ConfigError::Invalid(problems)) => problems.into_iter().map(|problem| problem.key).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn defaults_are_usable_on_a_desk() {
        let settings = Layers::default().load().unwrap().settings;
        assert_eq!(settings.mode, Mode::Development);
        assert_eq!(settings.limits.page_max, 200);
        assert_eq!(settings.jobcenter.label(), "Bezirksstelle");
        assert!(settings.secrets.case_key().is_none());
    }

    /// One value for each key, and all different from the defaults.
    fn every_key() -> Vec<(&'static str, &'static str)> {
        vec![
            ("mode", "PRODUCTION"),
            ("introspection", "AUTHENTICATED"),
            ("server.listen", "[::1]:9999"),
            ("server.public_url", "https://vks.example"),
            ("server.cors_origins", "https://a.example, https://b.example"),
            ("server.shutdown_seconds", "7"),
            ("server.workers", "3"),
            ("server.trusted_proxies", "127.0.0.1/32"),
            ("database.url", "postgres://one:geheim@host/db"),
            ("database.url_file", "URL_FILE"),
            ("database.max_connections", "5"),
            ("database.acquire_timeout_ms", "6"),
            ("database.migrate_on_start", "true"),
            ("auth.issuer", "https://idp.example"),
            ("auth.audience", "vks"),
            ("auth.typ", "jwt"),
            ("auth.leeway_seconds", "9"),
            ("auth.cached_tokens", "10"),
            ("auth.groups_claim", "roles"),
            ("auth.development_key", "true"),
            ("auth.development_key_file", "other.pem"),
            (
                "auth.keys",
                r#"[{"kid":"k","algorithm":"ES256","public_key_pem":"pem"}]"#,
            ),
            ("auth.groups", r#"{"CN=Revision, O=Kreis":"INNENREVISION"}"#),
            (
                "auth.issuers",
                r#"[{"issuer":"https://vks.example","subject_prefix":"vks:","groups":{"stelle-{number}":"SACHBEARBEITUNG:{number}"}}]"#,
            ),
            ("limits.depth", "11"),
            ("limits.cost", "12"),
            ("limits.aliases", "13"),
            ("limits.directives", "14"),
            ("limits.tokens", "16"),
            ("limits.selections", "17"),
            ("limits.batch", "18"),
            ("limits.body_bytes", "19"),
            ("limits.timeout_ms", "21"),
            ("limits.page_default", "22"),
            ("limits.page_max", "23"),
            ("limits.list_size", "29"),
            ("rate.per_minute", "24"),
            ("rate.burst", "25"),
            ("explorer.enabled", "false"),
            ("explorer.directory", "elsewhere"),
            ("telemetry.log_format", "json"),
            ("telemetry.log_level", "warn"),
            ("telemetry.otlp_endpoint", "http://me:geheim@collector:4318"),
            ("telemetry.service_name", "vks"),
            ("jobcenter.preset", "ennepe-ruhr"),
            ("jobcenter.label", "Standort"),
            ("jobcenter.label_plural", "Standorte"),
            ("decisions.abstention", "DISSENT"),
            ("decisions.quorum", "ALL"),
            ("decisions.calling_days", "14"),
            ("decisions.author_votes", "false"),
            ("decisions.casting_vote", "true"),
            ("calendar.land", "BY"),
            ("calendar.communal_holidays", "MARIAE_HIMMELFAHRT,FRIEDENSFEST"),
            ("calendar.closed_dates", "2026-05-15"),
            ("calendar.closed_yearly", "12-24"),
            ("log.origin", "vks.example/log"),
            (
                "log.verifier_keys",
                "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            ),
            (
                "log.witnesses",
                r#"[{"url":"https://w.example","key":"remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"}]"#,
            ),
            ("log.quorum", "1"),
            ("secrets.case_key", "geheim"),
            ("secrets.case_key_file", "KEY_FILE"),
            ("secrets.log_key", "geheim"),
            ("secrets.log_key_file", "KEY_FILE"),
            ("secrets.grant_key", "geheim"),
            ("secrets.grant_key_file", "KEY_FILE"),
            ("import.record_limit_bytes", "26"),
            ("import.file_limit_bytes", "27"),
            ("import.rejections_kept", "28"),
        ]
    }

    #[test]
    fn every_key_can_come_from_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let url_file = folder.path().join("url");
        let key_file = folder.path().join("key");
        fs::write(&url_file, "postgres://two@host/db\n").unwrap();
        fs::write(&key_file, "11".repeat(32)).unwrap();
        let values = every_key();
        assert_eq!(
            values.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
            KEYS.iter().map(|key| key.path).collect::<Vec<_>>()
        );
        let environment = KEYS
            .iter()
            .zip(&values)
            .map(|(key, (_, text))| {
                let text = match *text {
                    "URL_FILE" => url_file.to_str().unwrap(),
                    "KEY_FILE" => key_file.to_str().unwrap(),
                    text => text,
                };
                (key.variable(), text.to_owned())
            })
            .collect();
        let loaded = Layers {
            environment,
            ..Layers::default()
        }
        .load_unchecked()
        .unwrap();

        let settings = &loaded.settings;
        assert_eq!(
            (settings.mode, settings.introspection),
            (Mode::Production, Introspection::Authenticated)
        );
        assert_eq!(
            settings.server.cors_origins,
            ["https://a.example", "https://b.example"]
        );
        assert_eq!(settings.database.url.expose_secret(), "postgres://two@host/db");
        assert_eq!(settings.auth.keys[0].algorithm, KeyAlgorithm::ES256);
        assert_eq!(settings.auth.groups["CN=Revision, O=Kreis"], "INNENREVISION");
        assert_eq!(settings.auth.issuers[0].maximum_age_seconds, 86_400);
        assert_eq!(settings.secrets.case_key(), Some([0x11; 32]));
        assert_eq!(settings.secrets.log_key(), Some([0x11; 32]));
        assert_eq!(settings.secrets.grant_key(), Some([0x11; 32]));
        assert_eq!(settings.server.proxies().len(), 1);
        assert_eq!(settings.log.verifier_keys.len(), 1);
        assert_eq!((settings.log.witness_keys().len(), settings.log.quorum), (1, 1));
        assert_eq!(
            (settings.jobcenter.preset, settings.telemetry.log_format),
            (JobcenterPreset::EnnepeRuhr, LogFormat::Json)
        );
        let decisions = &settings.decisions;
        assert_eq!(
            (decisions.quorum, decisions.calling_days, decisions.author_votes),
            (Some(entity::body::Quorum::All), Some(14), Some(false))
        );

        let printed = print(&loaded);
        for key in KEYS {
            assert!(
                printed.contains(&format!("# {}\n", key.variable())),
                "{} in\n{printed}",
                key.path
            );
        }
        assert!(!printed.contains("geheim"), "{printed}");
        assert_eq!(
            problems_of(settings),
            ["auth.development_key", "limits.batch", "log.verifier_keys"]
        );
    }

    fn problems_of(settings: &Settings) -> Vec<String> {
        settings
            .validate()
            .into_iter()
            .map(|problem| problem.key)
            .collect()
    }

    #[test]
    fn the_list_of_keys_names_every_field() {
        let tree = Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .build()
            .unwrap()
            .cache;
        let sections: std::collections::BTreeSet<_> = KEYS
            .iter()
            .filter_map(|key| Some(key.path.split_once('.')?.0))
            .collect();
        for section in sections {
            let mut tree = tree.clone();
            let ValueKind::Table(root) = &mut tree.kind else {
                panic!()
            };
            let table = root
                .entry(section.to_owned())
                .or_insert_with(|| Value::new(None, ValueKind::Table(Map::new())));
            let ValueKind::Table(values) = &mut table.kind else {
                panic!()
            };
            values.insert("probe".to_owned(), Value::new(None, ValueKind::Boolean(true)));
            let refusal = tree.try_deserialize::<Settings>().unwrap_err().to_string();
            let fields: Vec<_> = refusal
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|name| *name != "probe" && *name != section)
                .collect();
            let mut expected: Vec<_> = KEYS
                .iter()
                .filter_map(|key| key.path.strip_prefix(section)?.strip_prefix('.'))
                .collect();
            expected.sort_unstable();
            let mut found = fields.clone();
            found.sort_unstable();
            assert_eq!(found, expected, "{refusal}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        assert_eq!(
            problems(&environment(&[("PRUEFPFAD__SERVER__LISTN", "x")])),
            ["server.listn"]
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pruefpfad.toml");
        fs::write(&path, "colour = 1\n[server]\nlistn = \"x\"\n[colours]\na = 1\n").unwrap();
        let layers = Layers {
            file: Some(path),
            ..Layers::default()
        };
        let mut found = problems(&layers);
        found.sort();
        assert_eq!(found, ["colour", "colours", "server.listn"]);
        let layers = Layers {
            flags: vec![("--set".to_owned(), "a.b".to_owned(), "1".to_owned())],
            ..Layers::default()
        };
        assert_eq!(problems(&layers), ["a.b"]);
    }

    #[test]
    fn the_later_layer_wins_and_its_name_is_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pruefpfad.toml");
        fs::write(
            &path,
            "[server]\nworkers = 1\nshutdown_seconds = 1\nlisten = \"127.0.0.1:1\"\n",
        )
        .unwrap();
        let mut layers = environment(&[
            ("PRUEFPFAD__SERVER__WORKERS", "2"),
            ("PRUEFPFAD__SERVER__LISTEN", "127.0.0.1:2"),
            ("PRUEFPFAD__RATE__BURST", ""),
        ]);
        layers.file = Some(path.clone());
        layers.flags = vec![(
            "--listen".to_owned(),
            "server.listen".to_owned(),
            "127.0.0.1:3".to_owned(),
        )];
        let loaded = layers.load().unwrap();
        assert_eq!(loaded.settings.server.listen.port(), 3);
        assert_eq!(
            (
                loaded.settings.server.workers,
                loaded.settings.server.shutdown_seconds,
                loaded.settings.rate.burst
            ),
            (2, 1, 200)
        );
        let printed = print(&loaded);
        for line in [
            "listen = \"127.0.0.1:3\" # --listen".to_owned(),
            "workers = 2 # PRUEFPFAD__SERVER__WORKERS".to_owned(),
            format!("shutdown_seconds = 1 # {}", path.display()),
            "burst = 200 # default".to_owned(),
            "# url_file is not set".to_owned(),
        ] {
            assert!(
                printed.lines().any(|printed| printed == line),
                "{line} in\n{printed}"
            );
        }
        let again = folder.path().join("printed.toml");
        fs::write(&again, printed).unwrap();
        let reread = Layers {
            file: Some(again),
            ..Layers::default()
        }
        .load()
        .unwrap();
        assert_eq!(reread.settings.server.workers, 2);
    }

    #[test]
    fn production_refuses_what_is_only_safe_on_a_desk() {
        let mut found = problems(&environment(&[
            ("PRUEFPFAD__MODE", "PRODUCTION"),
            ("PRUEFPFAD__AUTH__DEVELOPMENT_KEY", "true"),
            ("PRUEFPFAD__DATABASE__URL", "sqlite::memory:"),
            ("PRUEFPFAD__SERVER__CORS_ORIGINS", "*"),
        ]));
        found.sort();
        assert_eq!(
            found,
            [
                "auth.development_key",
                "auth.issuers",
                "database.url",
                "log.origin",
                "secrets.case_key_file",
                "secrets.grant_key_file",
                "secrets.log_key_file",
                "server.cors_origins"
            ]
        );
    }

    #[test]
    fn each_rule_names_its_key() {
        for (variable, text, key) in [
            ("SERVER__PUBLIC_URL", "vks", "server.public_url"),
            (
                "SERVER__CORS_ORIGINS",
                "https://a.example/",
                "server.cors_origins",
            ),
            ("DATABASE__URL", "mysql://x", "database.url"),
            ("DATABASE__URL_FILE", "/nowhere/url", "database.url_file"),
            ("DATABASE__MAX_CONNECTIONS", "0", "database.max_connections"),
            ("AUTH__ISSUER", " ", "auth.issuer"),
            ("AUTH__LEEWAY_SECONDS", "301", "auth.leeway_seconds"),
            ("AUTH__KEYS", r#"[{"kid":"a","algorithm":"RS256"}]"#, "auth.keys"),
            ("AUTH__KEYS", "nonsense", "auth.keys"),
            ("AUTH__GROUPS", r#"{"g":"SACHBEARBEITUNG"}"#, "auth.groups"),
            ("AUTH__GROUPS", r#"{"g-{number}":"INNENREVISION"}"#, "auth.groups"),
            (
                "AUTH__ISSUERS",
                r#"[{"issuer":"http://idp.example"}]"#,
                "auth.issuers",
            ),
            (
                "AUTH__ISSUERS",
                r#"[{"issuer":"https://i.example","typ":" "}]"#,
                "auth.issuers",
            ),
            (
                "AUTH__ISSUERS",
                r#"[{"issuer":"https://i.example","algorithms":[]}]"#,
                "auth.issuers",
            ),
            (
                "AUTH__ISSUERS",
                r#"[{"issuer":"https://i.example","refresh_seconds":86400}]"#,
                "auth.issuers",
            ),
            (
                "AUTH__ISSUERS",
                r#"[{"issuer":"https://i.example","groups":{"g":"{number}"}}]"#,
                "auth.issuers",
            ),
            (
                "AUTH__ISSUERS",
                r#"[{"issuer":"https://i.example"},{"issuer":"https://i.example","subject_prefix":"j:"}]"#,
                "auth.issuers",
            ),
            (
                "AUTH__ISSUERS",
                r#"[{"issuer":"https://i.example"},{"issuer":"https://j.example"}]"#,
                "auth.issuers",
            ),
            (
                "AUTH__ISSUERS",
                r#"[{"issuer":"pruefpfad-development","discovery":"https://i.example"}]"#,
                "auth.issuers",
            ),
            ("LIMITS__PAGE_DEFAULT", "201", "limits.page_default"),
            ("LIMITS__BATCH", "2", "limits.batch"),
            ("TELEMETRY__LOG_LEVEL", "=,=", "telemetry.log_level"),
            ("TELEMETRY__OTLP_ENDPOINT", "collector", "telemetry.otlp_endpoint"),
            ("JOBCENTER__LABEL", "Standort", "jobcenter.label"),
            ("LOG__ORIGIN", "https://vks.example/log", "log.origin"),
            ("LOG__ORIGIN", "a b", "log.origin"),
            ("LOG__VERIFIER_KEYS", "vks.example/log", "log.verifier_keys"),
            ("LOG__QUORUM", "1", "log.quorum"),
            (
                "LOG__WITNESSES",
                r#"[{"url":"http://w.example","key":"remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"}]"#,
                "log.witnesses",
            ),
            (
                "LOG__WITNESSES",
                r#"[{"url":"https://w.example","key":"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"}]"#,
                "log.witnesses",
            ),
            (
                "LOG__WITNESSES",
                r#"[{"url":"https://w.example","key":"remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"},{"url":"https://v.example","key":"remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"}]"#,
                "log.witnesses",
            ),
            ("SECRETS__CASE_KEY", "abc", "secrets.case_key"),
            ("SECRETS__LOG_KEY", "abc", "secrets.log_key"),
            ("SECRETS__GRANT_KEY", "abc", "secrets.grant_key"),
            ("SERVER__TRUSTED_PROXIES", "proxy", "server.trusted_proxies"),
            ("IMPORT__REJECTIONS_KEPT", "0", "import.rejections_kept"),
        ] {
            assert_eq!(
                problems(&environment(&[(&format!("{PREFIX}{variable}"), text)])),
                [key],
                "{variable}"
            );
        }
    }
}
