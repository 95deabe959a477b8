//! The command line: what the binary can be told to do, and in which configuration.
//!
//! Texts of help stand here in English, as documentation of the code, and in `help.rs` in German, as people see them.

mod calculate;
mod ceremony;
mod complaint;
mod demo;
mod demo_samples;
mod doctor;
mod export;
mod healthcheck;
mod help;
mod import;
mod log_key;
mod migrate;
mod redraw;
mod retention;
mod schema;
mod serve;
mod token;
mod verify;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use audit::access::Role;
use audit::sampling::ceremony::Bytes32;
use audit::trail::note::VerifierKey;
use audit::trail::witness::WitnessKey;
use chrono::{DateTime, Utc};
use clap::{Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::auth::Now;
use crate::config::{self, Layers, Loaded};
use crate::language::Language;

/// Gateway to the control and steering system of a municipal Jobcenter.
#[derive(Debug, Parser)]
#[command(name = "pruefpfad", version)]
pub struct Cli {
    /// Configuration of this run.
    #[command(flatten)]
    pub given: Given,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that go before file and environment.
#[derive(Debug, Clone, Default, Args)]
pub struct Given {
    /// Configuration file (TOML).
    #[arg(long, global = true, env = "PRUEFPFAD_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting, as in `--set limits.depth=10`; repeatable.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Address of the database, as `sqlite://PATH` or `postgres://USER@HOST/DATABASE`.
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Filter of log lines, as in `info,api=debug`.
    #[arg(long, global = true, value_name = "FILTER")]
    pub log_level: Option<String>,
    /// Address and port to listen on.
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub listen: Option<String>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("KEY=VALUE".to_owned()),
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API.
    Serve(ServeArgs),
    /// Build a demonstration Jobcenter, print a token for each role, and serve.
    Demo(DemoArgs),
    /// Change the database's schema, or say where it stands.
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// The GraphQL schema of this binary.
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Import a population from a CSV file.
    Import(ImportArgs),
    /// Write a list as a file.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Print an access token signed with the development key.
    Token(TokenArgs),
    /// The key that signs the log over the trail.
    #[command(subcommand)]
    LogKey(LogKeyCommand),
    /// Calculate: one JSON request a line from standard input, one JSON answer a line; without database and configuration.
    Calculate(CalculateArgs),
    /// What a party of a draw needs at its own desk, without database and service.
    #[command(subcommand)]
    Ceremony(CeremonyCommand),
    /// Repeat a draw from its draw file and record, without database and service; exit code 0: as recorded, 1: not, 2: not repeated.
    Redraw(RedrawArgs),
    /// Check what the log gave out, without database and service; exit code 0: it holds, 1: it does not, 2: not checked.
    Verify(VerifyArgs),
    /// Cosign the checkpoints of logs as a witness, without database and configuration (C2SP tlog-witness).
    Witness(WitnessArgs),
    /// Delete what is kept no longer.
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check configuration, keys and database, and say what to do.
    Doctor(DoctorArgs),
    /// Ask a running service whether it is ready; exit code 0 or 1.
    Healthcheck(HealthcheckArgs),
}

/// Calculating.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct CalculateArgs {
    /// Print every calculator with its methods, fields, units and source as JSON, and calculate nothing.
    #[arg(long)]
    pub describe: bool,
}

/// A part in a draw.
#[derive(Debug, Clone, Subcommand)]
pub enum CeremonyCommand {
    /// Make a contribution to the seed of a draw: a fresh salt and the commitment, as JSON, to be kept until the opening.
    Commit {
        /// Digest of the plan.
        #[arg(long, value_name = "HEX", value_parser = digest)]
        plan_digest: Bytes32,
        /// Name of the party, exactly as in the plan.
        #[arg(long, value_name = "NAME")]
        party: String,
        /// A text of one's own choice, up to 1,000 characters.
        #[arg(long, value_name = "TEXT", default_value = "")]
        text: String,
    },
    /// The first round of the drand beacon after a time, for a plan.
    Round {
        /// Name or hash of the chain.
        #[arg(long, value_name = "CHAIN", default_value = "quicknet")]
        chain: String,
        /// The time, such as 2026-12-01T10:00:00Z.
        #[arg(long, value_name = "TIME")]
        after: DateTime<Utc>,
    },
}

/// A draw to be repeated.
#[derive(Debug, Clone, Args)]
pub struct RedrawArgs {
    /// The draw file (CSV).
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// The draw record (JSON).
    #[arg(long, value_name = "FILE")]
    pub record: PathBuf,
    /// Root of the frozen population, known from elsewhere: a report, a checkpoint, minutes.
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub root: Option<Bytes32>,
    /// Digest of the plan, known from elsewhere.
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub plan: Option<Bytes32>,
    /// Answer as JSON.
    #[arg(long)]
    pub json: bool,
}

fn digest(text: &str) -> Result<Bytes32, String> {
    Bytes32::parse(text).ok_or_else(|| "64 hexadecimal digits".to_owned())
}

/// Looking.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct DoctorArgs {
    /// Compare every row with what the trail says it was left as: finds what was changed, removed or added past the service. Takes
    /// as long as reading them all.
    #[arg(long)]
    pub rows: bool,
}

/// Serving.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Apply missing migrations first, instead of refusing to start.
    #[arg(long)]
    pub migrate: bool,
}

/// The demonstration.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Folder of the demonstration's database and keys.
    #[arg(long, value_name = "FOLDER", default_value = "data/demo")]
    pub directory: PathBuf,
    /// Payment lines of the demonstration population.
    #[arg(long, value_name = "NUMBER", default_value_t = 200_000)]
    pub lines: u64,
    /// Prepare everything and print the tokens, but do not serve.
    #[arg(long)]
    pub prepare_only: bool,
}

/// Changes of the database's schema.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum MigrateCommand {
    /// Apply all missing migrations.
    Up,
    /// List migrations and whether they were applied; exit code 1 if some are missing.
    Status,
}

/// The GraphQL schema.
#[derive(Debug, Clone, Subcommand)]
pub enum SchemaCommand {
    /// Print the schema definition.
    Print,
    /// Compare the schema with a file; exit code 1 if they differ.
    Check {
        /// The file.
        #[arg(long, value_name = "FILE", default_value = "schema.graphql")]
        file: PathBuf,
    },
}

/// What one item of a population is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnitArg {
    /// Bescheid.
    Decision,
    /// A case in one month.
    CaseMonth,
    /// A payment line.
    Payment,
    /// A procedure.
    Procedure,
}

impl UnitArg {
    /// Its text in database and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "DECISION",
            Self::CaseMonth => "CASE_MONTH",
            Self::Payment => "PAYMENT",
            Self::Procedure => "PROCEDURE",
        }
    }
}

/// An import.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// Number of the engagement, such as P-2026-001.
    #[arg(long, value_name = "NUMBER")]
    pub engagement: String,
    /// Name of the population; made if there is none of that name.
    #[arg(long, value_name = "NAME")]
    pub population: String,
    /// What one line is.
    #[arg(long, value_name = "UNIT")]
    pub unit: UnitArg,
    /// Which column means what (JSON).
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,
    /// Subject in whose name the import stands in the trail.
    #[arg(long, value_name = "SUBJECT", default_value = "cli")]
    pub subject: String,
    /// The CSV file.
    #[arg(value_name = "CSV")]
    pub file: PathBuf,
}

/// Lists that can be written as files.
#[derive(Debug, Clone, Subcommand)]
pub enum ExportCommand {
    /// The items of a sample.
    SampleItems {
        /// Id of the sample.
        #[arg(long, value_name = "ID")]
        sample: String,
        /// Form of the file.
        #[arg(long, value_name = "FORMAT", default_value = "csv")]
        format: ExportFormat,
        /// Where to write; standard output without it.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Subject in whose name the list is read.
        #[arg(long, value_name = "SUBJECT", default_value = "cli")]
        subject: String,
    },
    /// The whole log up to its last checkpoint, as JSON lines.
    Log {
        /// Where to write; standard output without it.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Subject in whose name the log is read.
        #[arg(long, value_name = "SUBJECT", default_value = "cli")]
        subject: String,
    },
}

/// Forms of a written list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Comma separated, text cells safe in spreadsheets.
    Csv,
}

/// A development token.
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    /// Role, such as INNENREVISION.
    #[arg(long, value_name = "ROLE")]
    pub role: Role,
    /// Number of the Bezirksstelle, for local roles.
    #[arg(long, value_name = "NUMBER")]
    pub bezirksstelle: Option<String>,
    /// In the group that handles own staff's items.
    #[arg(long)]
    pub own_staff: bool,
    /// Who the holder is; without it, one subject for each role.
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,
    /// Name of the holder.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How long the token holds.
    #[arg(long, value_name = "MINUTES", default_value_t = 480, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub minutes: u32,
}

/// A check.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Verifier key of the log, got by other means than the log itself; repeatable where the key was replaced.
    #[arg(long = "key", global = true, value_name = "KEY")]
    pub keys: Vec<VerifierKey>,
    /// Verifier key of a witness that is to have cosigned the checkpoint, got from the witness; repeatable.
    #[arg(long = "witness", global = true, value_name = "KEY")]
    pub witnesses: Vec<WitnessKey>,
    /// How many of the witnesses must have cosigned; without it, all of them.
    #[arg(long, global = true, value_name = "NUMBER")]
    pub quorum: Option<usize>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What is checked.
    #[command(subcommand)]
    pub command: VerifyCommand,
}

/// What is checked.
#[derive(Debug, Clone, Subcommand)]
pub enum VerifyCommand {
    /// A checkpoint, and whether it can come after checkpoints that were kept.
    Checkpoint {
        /// The checkpoint.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A checkpoint kept from earlier; repeatable.
        #[arg(long, value_name = "FILE")]
        kept: Vec<PathBuf>,
    },
    /// A proof that an entry is in the log.
    Inclusion {
        /// The proof (tlog-proof).
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Commitment of the entry, in hexadecimal; needed where the entry was erased.
        #[arg(long, value_name = "HEX")]
        commitment: Option<String>,
    },
    /// A proof that the log only grew since a checkpoint.
    Consistency {
        /// The older checkpoint.
        #[arg(value_name = "CHECKPOINT")]
        old: PathBuf,
        /// The proof with the newer checkpoint.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// An export of the whole log.
    Export {
        /// The export (JSON lines).
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A checkpoint kept from earlier; repeatable.
        #[arg(long, value_name = "FILE")]
        kept: Vec<PathBuf>,
    },
}

/// A witness; it listens where `--listen` says.
#[derive(Debug, Clone, Args)]
pub struct WitnessArgs {
    /// Name of the witness, for good: its public address without https://.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// File of its signing key; made at the first start.
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
    /// Folder of what it cosigned last, which must not get lost.
    #[arg(long, value_name = "FOLDER")]
    pub state: PathBuf,
    /// Verifier key of a log it is a witness of; repeatable, also for the new key of a log.
    #[arg(long = "log", required = true, value_name = "KEY")]
    pub logs: Vec<VerifierKey>,
}

/// The key that signs the log.
#[derive(Debug, Clone, Subcommand)]
pub enum LogKeyCommand {
    /// Make a signing key in a new file that only its owner may read.
    New {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the verifier keys of the configured log, the one that signs first.
    Show,
}

/// The deletion job, which a running service does once a day by itself.
#[derive(Debug, Clone, Subcommand)]
pub enum RetentionCommand {
    /// Delete read records whose time has passed, and say so in the trail.
    Run {
        /// Only say what is due.
        #[arg(long)]
        dry_run: bool,
        /// Subject in whose name the run stands in the trail.
        #[arg(long, value_name = "SUBJECT", default_value = "cli")]
        subject: String,
    },
}

/// The configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Print the effective configuration with the origin of every value and without secrets.
    Print,
}

/// A probe.
#[derive(Debug, Clone, Args)]
pub struct HealthcheckArgs {
    /// Address of the service; without it, the one it listens on here.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// How long to wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub timeout_seconds: u64,
}

impl Cli {
    /// Reads the arguments of the process; or prints help or what is wrong with them, and tells how the process ends.
    pub fn from_process(language: Language) -> Result<Self, ExitCode> {
        let matches = help::command(language).try_get_matches();
        let read = matches.and_then(|matches| Self::from_arg_matches(&matches));
        read.map_err(|error| {
            match complaint::german(&error) {
                Some(text) if language == Language::De => complain(text.trim_end()),
                // A terminal that is gone is no reason to end in another way.
                _ => drop(error.print()),
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

impl Given {
    /// All layers of the configuration.
    pub fn layers(&self) -> Layers {
        let mut flags: Vec<_> = [
            ("--database-url", "database.url", &self.database_url),
            ("--log-level", "telemetry.log_level", &self.log_level),
            ("--listen", "server.listen", &self.listen),
        ]
        .into_iter()
        .filter_map(|(flag, key, value)| Some((flag.to_owned(), key.to_owned(), value.clone()?)))
        .collect();
        flags.extend(
            self.set
                .iter()
                .map(|(key, value)| ("--set".to_owned(), key.clone(), value.clone())),
        );
        Layers {
            file: self.config.clone(),
            environment: variables(),
            flags,
        }
    }
}

/// The environment; what is no text is nobody's setting.
fn variables() -> std::collections::BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What a command needs besides its own arguments.
pub struct Surroundings {
    /// The language of messages.
    pub language: Language,
    /// The clock.
    pub now: Now,
}

/// Carries out a command.
pub async fn run(cli: Cli, surroundings: Surroundings) -> anyhow::Result<ExitCode> {
    let layers = cli.given.layers();
    let language = surroundings.language;
    let load = || -> anyhow::Result<Loaded> {
        layers
            .load()
            .map_err(|error| anyhow::anyhow!(error.text(language)))
    };
    match cli.command {
        Command::Config(ConfigCommand::Print) => {
            let loaded = layers
                .load_unchecked()
                .map_err(|error| anyhow::anyhow!(error.text(language)))?;
            emit(&config::print(&loaded))?;
            let problems = loaded.settings.validate();
            for problem in &problems {
                complain(&problem.text(language));
            }
            Ok(if problems.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Token(arguments) => {
            let token = token::issue(&arguments, &load()?.settings, &surroundings)?;
            emit(&format!("{token}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Calculate(arguments) => Ok(calculate::run(arguments, language)?),
        Command::Ceremony(command) => ceremony::run(&command, language),
        Command::Redraw(arguments) => redraw::run(&arguments, language),
        Command::Verify(arguments) => verify::run(&arguments, language),
        Command::Witness(arguments) => {
            witness::run(
                &arguments,
                cli.given.listen.as_deref(),
                surroundings.now,
                language,
            )
            .await
        }
        Command::LogKey(command) => log_key::run(&command, load, language),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments, &load()?.settings, language).await,
        Command::Serve(arguments) => serve::run(&arguments, &load()?.settings, language).await,
        Command::Demo(arguments) => {
            let settings = load()?.settings;
            let named = cli.given.database_url.is_some();
            Box::pin(demo::run(&arguments, settings, named, &surroundings)).await
        }
        Command::Migrate(command) => migrate::run(command, &load()?.settings, language).await,
        Command::Schema(command) => schema::run(&command, language),
        Command::Import(arguments) => import::run(&arguments, &load()?.settings, language).await,
        Command::Export(command) => export::run(&command, &load()?.settings, language).await,
        Command::Retention(command) => retention::run(&command, &load()?.settings, language).await,
        Command::Doctor(arguments) => doctor::run(arguments, &load()?.settings, language).await,
    }
}

/// Writes to standard output; a reader that has gone away is an error, not a panic.
pub(crate) fn emit(text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Writes a line to standard error, where nobody can be told of a failure to write.
pub(crate) fn complain(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn every_command_can_be_spelled() {
        for line in [
            "pruefpfad serve --migrate --listen 127.0.0.1:1",
            "pruefpfad demo --directory d --lines 10 --prepare-only",
            "pruefpfad migrate up",
            "pruefpfad --database-url sqlite://x migrate status",
            "pruefpfad schema print",
            "pruefpfad schema check --file schema.graphql",
            "pruefpfad import --engagement P-2026-001 --population NAME --unit PAYMENT --mapping mapping.json FILE",
            "pruefpfad import --engagement P-2026-001 --population NAME --unit CASE_MONTH --mapping mapping.json FILE",
            "pruefpfad export sample-items --sample ID --format csv",
            "pruefpfad token --role SACHBEARBEITUNG --bezirksstelle 03 --subject u --minutes 5",
            "pruefpfad calculate --describe",
            "pruefpfad redraw --file FILE --record FILE --json --root 0000000000000000000000000000000000000000000000000000000000000000",
            "pruefpfad ceremony commit --party NAME --text TEXT --plan-digest 0000000000000000000000000000000000000000000000000000000000000000",
            "pruefpfad ceremony round --after 2026-12-01T10:00:00Z",
            "pruefpfad log-key new log.key",
            "pruefpfad log-key show",
            "pruefpfad verify checkpoint FILE --kept FILE --kept FILE",
            "pruefpfad verify inclusion FILE --commitment 00 --json",
            "pruefpfad verify consistency OLD FILE",
            "pruefpfad verify export FILE --key example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "pruefpfad verify checkpoint FILE --quorum 1 --witness remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
            "pruefpfad witness --listen 127.0.0.1:1 --name w.example --key-file k --state s --log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "pruefpfad export log --output FILE",
            "pruefpfad config print --set limits.depth=3",
            "pruefpfad retention run",
            "pruefpfad retention run --dry-run --subject dsb",
            "pruefpfad doctor",
            "pruefpfad healthcheck --url http://127.0.0.1:1 --timeout-seconds 1",
        ] {
            parse(line).unwrap();
        }
        for line in [
            "pruefpfad",
            "pruefpfad token --role NOBODY",
            "pruefpfad token --role VORSTAND --minutes 0",
            "pruefpfad serve --set x",
            "pruefpfad ceremony commit --party NAME --plan-digest 00",
            "pruefpfad ceremony round --after tomorrow",
            "pruefpfad verify checkpoint FILE --key nonsense",
            "pruefpfad verify checkpoint FILE --witness example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "pruefpfad witness --name w.example --key-file k --state s",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn flags_go_before_everything() {
        let cli = parse("pruefpfad serve --listen 127.0.0.1:1 --set server.workers=2").unwrap();
        let loaded = Layers {
            environment: [("PRUEFPFAD__SERVER__WORKERS".to_owned(), "9".to_owned())].into(),
            ..cli.given.layers()
        }
        .load()
        .unwrap();
        assert_eq!(
            (
                loaded.settings.server.listen.port(),
                loaded.settings.server.workers
            ),
            (1, 2)
        );
    }
}
