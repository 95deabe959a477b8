//! The list of all settings: what the environment may set, and what `config print` masks.

/// How the text of an environment variable or flag becomes a value, and how a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, number or truth value.
    Plain,
    /// An address that may hold a password.
    Address,
    /// Never shown.
    Secret,
    /// Texts, separated by commas.
    List,
    /// Tables; in the environment as JSON.
    Json,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name, as `section.key`.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
}

impl Key {
    /// Its environment variable.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.to_ascii_uppercase().replace('.', "__"))
    }

    /// The setting of that name.
    pub fn find(path: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.path == path)
    }
}

/// What the environment variables of settings start with.
pub(super) const PREFIX: &str = "PRUEFPFAD__";

const fn plain(path: &'static str) -> Key {
    Key {
        path,
        kind: Kind::Plain,
    }
}

const fn of(kind: Kind, path: &'static str) -> Key {
    Key { path, kind }
}

/// All settings, in the order in which they are printed.
pub const KEYS: &[Key] = &[
    plain("mode"),
    plain("introspection"),
    plain("server.listen"),
    plain("server.public_url"),
    of(Kind::List, "server.cors_origins"),
    plain("server.shutdown_seconds"),
    plain("server.workers"),
    of(Kind::List, "server.trusted_proxies"),
    of(Kind::Address, "database.url"),
    plain("database.url_file"),
    plain("database.max_connections"),
    plain("database.acquire_timeout_ms"),
    plain("database.migrate_on_start"),
    plain("auth.issuer"),
    plain("auth.audience"),
    plain("auth.typ"),
    plain("auth.leeway_seconds"),
    plain("auth.cached_tokens"),
    plain("auth.groups_claim"),
    plain("auth.development_key"),
    plain("auth.development_key_file"),
    of(Kind::Json, "auth.keys"),
    of(Kind::Json, "auth.groups"),
    of(Kind::Json, "auth.issuers"),
    plain("limits.depth"),
    plain("limits.cost"),
    plain("limits.aliases"),
    plain("limits.directives"),
    plain("limits.tokens"),
    plain("limits.selections"),
    plain("limits.batch"),
    plain("limits.body_bytes"),
    plain("limits.timeout_ms"),
    plain("limits.page_default"),
    plain("limits.page_max"),
    plain("limits.list_size"),
    plain("rate.per_minute"),
    plain("rate.burst"),
    plain("explorer.enabled"),
    plain("explorer.directory"),
    plain("telemetry.log_format"),
    plain("telemetry.log_level"),
    of(Kind::Address, "telemetry.otlp_endpoint"),
    plain("telemetry.service_name"),
    plain("jobcenter.preset"),
    plain("jobcenter.label"),
    plain("jobcenter.label_plural"),
    plain("decisions.abstention"),
    plain("decisions.quorum"),
    plain("decisions.calling_days"),
    plain("decisions.author_votes"),
    plain("decisions.casting_vote"),
    plain("calendar.land"),
    of(Kind::List, "calendar.communal_holidays"),
    of(Kind::List, "calendar.closed_dates"),
    of(Kind::List, "calendar.closed_yearly"),
    plain("log.origin"),
    of(Kind::List, "log.verifier_keys"),
    of(Kind::Json, "log.witnesses"),
    plain("log.quorum"),
    of(Kind::Secret, "secrets.case_key"),
    plain("secrets.case_key_file"),
    of(Kind::Secret, "secrets.log_key"),
    plain("secrets.log_key_file"),
    of(Kind::Secret, "secrets.grant_key"),
    plain("secrets.grant_key_file"),
    plain("import.record_limit_bytes"),
    plain("import.file_limit_bytes"),
    plain("import.rejections_kept"),
];
