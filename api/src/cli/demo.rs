//! `pruefpfad demo`: a demonstration Jobcenter, a token for each role, and the service; on SQLite in a folder of its own, or in the database
//! that `--database-url` names, where nobody else's engagement is.
//!
//! Everything in it came in by the use cases a person would use: an engagement, two extracts, control totals with an
//! explained difference, two frozen populations, samples, announced items and checks.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use audit::access::{Caller, Class, Membership, Role};
use audit::demo::{CONTROL_DIFFERENCE, Demo, Extract, Size, mapping_decisions, mapping_payments};
use audit::engagement::Open;
use audit::page::PageArgs;
use audit::population::import::Mapping;
use audit::population::{ControlTotalInput, Create, cells_from_csv};
use audit::{Ctx, Db, Sources, engagement, grant, jobcenter, population};
use chrono::TimeDelta;
use entity::population::Unit;
use entity::{control_total, population as population_row, population_import};
use secrecy::SecretString;

use super::demo_samples::{Populations, Roles};
use super::import::{import, said};
use super::{DemoArgs, Surroundings};
use crate::app;
use crate::auth::{DevelopmentKey, TokenRequest};
use crate::config::{Mode, Settings};
use crate::graphql::NodeKind;
use crate::http::is_built;
use crate::language::Language;
use crate::telemetry::Telemetry;

/// The demonstration is the same on every machine.
const SEED: [u8; 32] = *b"Kreis Recklinghausen, 2025, Demo";
/// Tokens of the demonstration hold for a working week.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::days(7);
const ALL: PageArgs = PageArgs {
    after: None,
    before: None,
    limit: 200,
    backward: false,
};

/// Prepares the demonstration where it is not there yet, prints the tokens and serves.
pub(super) async fn run(
    arguments: &DemoArgs,
    settings: Settings,
    database_named: bool,
    surroundings: &Surroundings,
) -> anyhow::Result<ExitCode> {
    let language = surroundings.language;
    let settings = demonstration(arguments, settings, database_named);
    let telemetry = Telemetry::start(&settings.telemetry)?;
    let (db, sources) = (app::connect(&settings).await?, app::sources(&settings)?);
    app::prepare(&settings, &db, &sources, true).await?;
    let people = People::new(&sources);
    people.are_alone(&db, language).await?;
    people.fill(&db, &settings, arguments, language).await?;
    let grant = people.grant(&db, language).await?;
    let key = DevelopmentKey::open(&settings.auth.development_key_file)?;
    if arguments.prepare_only {
        super::emit(&tokens(&settings, &key, &db, surroundings).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = tokens(&settings, &key, &db, surroundings).await?;
    let running = app::start(&settings, db, sources).await?;
    super::emit(&text)?;
    let address = running.address.to_string();
    super::emit(&welcome(&settings, &address, language))?;
    super::emit(&redeeming(&grant, &address, language))?;
    running.wait().await?;
    telemetry.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// What makes a configuration a demonstration: its own folder, its own keys, and no production.
fn demonstration(arguments: &DemoArgs, mut settings: Settings, database_named: bool) -> Settings {
    let folder = &arguments.directory;
    settings.mode = Mode::Development;
    settings.auth.development_key = true;
    settings.auth.development_key_file = folder.join("development-key.pem");
    if !database_named {
        settings.database.url =
            SecretString::from(format!("sqlite://{}", folder.join("demo.sqlite").display()));
    }
    settings
}

fn welcome(settings: &Settings, address: &str, language: Language) -> String {
    let explorer = if is_built(&settings.explorer) {
        format!("http://{address}/explorer")
    } else {
        language
            .say(
                "(nicht gebaut: cd api/explorer && npm ci && npm run build)",
                "(not built: cd api/explorer && npm ci && npm run build)",
            )
            .to_owned()
    };
    format!(
        "\nExplorer  {explorer}\nGraphQL   http://{address}/graphql\n{}\n",
        language.say("Beenden mit Strg-C.", "End with Ctrl-C."),
    )
}

/// How the external auditor redeems the grant that is ready.
fn redeeming(grant: &entity::grant::Model, address: &str, language: Language) -> String {
    let id = NodeKind::Grant.id(grant.id.0);
    format!(
        "\n{}\n  curl -s http://{address}/oauth/token \\\n\
         \x20   -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange \\\n\
         \x20   -d subject_token_type=urn:ietf:params:oauth:token-type:access_token -d subject_token=$TOKEN \\\n\
         \x20   --data-urlencode 'authorization_details=[{{\"type\":\"pruefpfad_engagement\",\"identifier\":\"{}\"}}]'\n",
        language.say(
            format!(
                "Zugang {} einlösen, mit dem Token von EXTERNAL_AUDITOR:",
                grant.number
            ),
            format!(
                "Redeem grant {}, with the token of EXTERNAL_AUDITOR:",
                grant.number
            ),
        ),
        id.as_str(),
    )
}

/// One line a role: role, token; one more for the group that handles own staff's items. Local roles get the first
/// Bezirksstelle.
async fn tokens(
    settings: &Settings,
    key: &DevelopmentKey,
    db: &Db,
    surroundings: &Surroundings,
) -> anyhow::Result<String> {
    let place = jobcenter::bezirksstellen(db)
        .await?
        .into_iter()
        .nth(1)
        .context("no Bezirksstelle")?;
    let memberships = Role::ALL
        .iter()
        .map(|role| Membership::new(*role, role.is_local().then_some(place.number.as_str())))
        .chain([Membership::new(Role::Innenrevision, None).and_then(Membership::handling_own_staff)]);
    let mut text = String::new();
    for membership in memberships {
        let membership = membership?;
        let mut subject = subject(membership.role());
        if membership.own_staff() {
            subject.push_str("-own-staff");
        }
        let request = TokenRequest {
            subject,
            name: None,
            memberships: vec![membership.clone()],
            lifetime: TOKEN_LIFETIME,
        };
        let token = key.issue(&settings.auth, &request, (surroundings.now)())?;
        writeln!(text, "{membership}\t{token}")?;
    }
    Ok(text)
}

fn subject(role: Role) -> String {
    format!("demo-{}", role.as_str().to_ascii_lowercase().replace('_', "-"))
}

/// Those who act in the demonstration.
struct People {
    auditor: Ctx,
    head: Ctx,
    quality: Ctx,
    department: Ctx,
}

impl People {
    fn new(sources: &Arc<Sources>) -> Self {
        let person = |role: Role| {
            let caller = Caller {
                subject: subject(role),
                name: None,
                membership: Membership::new(role, None).ok(),
                bezirksstelle: None,
                authenticated: true,
                grant: None,
            };
            Ctx::new(caller, sources.new_id(), sources.clone())
        };
        Self {
            auditor: person(Role::Innenrevision),
            head: person(Role::InnenrevisionLeitung),
            quality: person(Role::Qualitaetssicherung),
            department: person(Role::Fachbereichsleitung),
        }
    }

    /// An inspection of the demonstration's engagement, ready to be redeemed by whoever holds the token of `EXTERNAL_AUDITOR`.
    async fn grant(&self, db: &Db, language: Language) -> anyhow::Result<entity::grant::Model> {
        let engagement = self.engagement(db, language).await?.id;
        let propose = grant::Propose {
            kind: entity::grant::Kind::Inspection,
            basis: "SGB2_6B_3".to_owned(),
            recipient_body: "Bundesrechnungshof".to_owned(),
            recipient_name: "R. Prüfer".to_owned(),
            recipient_subject: Some(subject(Role::ExternalAuditor)),
            recipient_key: None,
            purpose: "Prüfung der Leistungsgewährung 2025".to_owned(),
            engagements: vec![engagement],
            bezirksstellen: None,
            period: None,
            funds: None,
            classes: vec![Class::Audit, Class::SocialData],
            not_before: None,
            expires_at: None,
            read_budget: None,
            addresses: Vec::new(),
            contract: None,
            team_role: None,
            retrieval_procedure: None,
            verpflichtung: None,
            reads_withheld: false,
        };
        let row = said(
            grant::propose(&self.auditor, db, "demo-grant", propose).await,
            language,
        )?;
        if row.state != entity::grant::State::Proposed {
            return Ok(row);
        }
        let issue = grant::Change {
            id: row.id,
            expected_version: row.version,
        };
        said(grant::issue(&self.department, db, issue).await, language)
    }

    /// Refuses a database in which others work.
    async fn are_alone(&self, db: &Db, language: Language) -> anyhow::Result<()> {
        let (known, _) = said(
            engagement::list(&self.auditor, db, None, &ALL, false).await,
            language,
        )?;
        let others = known.rows.iter().find(|row| !row.opened_by.starts_with("demo-"));
        if let Some(row) = others {
            bail!(
                "{} {}",
                language.say(
                    "In dieser Datenbank arbeiten andere; die Vorführung braucht eine eigene. Gefunden:",
                    "Others work in this database; the demonstration needs one of its own. Found:",
                ),
                row.number
            );
        }
        Ok(())
    }

    /// Fills the house step by step. Each step looks whether it was done: an interrupted start goes on where it stopped.
    async fn fill(
        &self,
        db: &Db,
        settings: &Settings,
        arguments: &DemoArgs,
        language: Language,
    ) -> anyhow::Result<()> {
        let demo = Arc::new(Demo::new(SEED, size(arguments.lines)));
        let engagement = self.engagement(db, language).await?;
        if engagement.state == entity::engagement::State::Closed {
            // Somebody played the story to its end: what is there stays as it is.
            return Ok(());
        }
        let engagement = engagement.id;
        let payments = self
            .filled(db, settings, &demo, engagement, Extract::Payments, language)
            .await?;
        let decisions = self
            .filled(db, settings, &demo, engagement, Extract::Decisions, language)
            .await?;
        let roles = Roles {
            auditor: &self.auditor,
            head: &self.head,
        };
        roles
            .fill(db, &Populations { payments, decisions }, SEED, language)
            .await
    }

    /// A population from its creation to freezing.
    async fn filled(
        &self,
        db: &Db,
        settings: &Settings,
        demo: &Arc<Demo>,
        engagement: entity::EngagementId,
        extract: Extract,
        language: Language,
    ) -> anyhow::Result<entity::PopulationId> {
        let name = match extract {
            Extract::Payments => "Auszahlungen 2025",
            Extract::Decisions => "Bescheide 2025",
        };
        let population = self.population(db, engagement, extract, name, language).await?;
        if population.state == population_row::State::Open {
            self.extract(db, settings, demo, extract, &population, language)
                .await?;
            self.reconcile(db, demo, extract, population.id, language).await?;
        }
        Ok(population.id)
    }

    async fn engagement(&self, db: &Db, language: Language) -> anyhow::Result<entity::engagement::Model> {
        let day = |text: &str| text.parse().context("a day");
        let open = Open {
            title: "Leistungsgewährung und Auszahlung 2025".to_owned(),
            function: entity::engagement::Function::Innenrevision,
            objective:
                "Sind die Leistungen rechtmäßig bewilligt, richtig berechnet, richtig ausgezahlt und dem \
                        richtigen Kostenträger zugeordnet?"
                    .to_owned(),
            legal_basis: "§ 6b (4) SGB II; § 3 Heranziehungssatzung".to_owned(),
            period_from: day("2025-01-01")?,
            period_to: day("2025-12-31")?,
        };
        said(
            engagement::open(&self.auditor, db, "demo-engagement", open).await,
            language,
        )
    }

    async fn population(
        &self,
        db: &Db,
        engagement: entity::EngagementId,
        extract: Extract,
        name: &str,
        language: Language,
    ) -> anyhow::Result<population_row::Model> {
        let create = Create {
            engagement_id: engagement,
            name: name.to_owned(),
            unit: match extract {
                Extract::Payments => Unit::Payment,
                Extract::Decisions => Unit::Decision,
            },
            source: "Fachverfahren, Auszug vom 15.01.2026 (Demonstration)".to_owned(),
        };
        let key = format!("demo-{name}");
        said(
            population::create(&self.auditor, db, &key, create).await,
            language,
        )
    }

    async fn extract(
        &self,
        db: &Db,
        settings: &Settings,
        demo: &Arc<Demo>,
        extract: Extract,
        population: &population_row::Model,
        language: Language,
    ) -> anyhow::Result<()> {
        if population.item_count > 0 {
            return Ok(());
        }
        self.wait_for_interrupted_imports(db, population.id, language)
            .await?;
        super::complain(&format!("{} …", population.name));
        let bytes = written(demo, extract)?;
        let (file_name, mapping): (_, Mapping) = match extract {
            Extract::Payments => ("auszahlungen-2025.csv", mapping_payments()),
            Extract::Decisions => ("bescheide-2025.csv", mapping_decisions()),
        };
        let file = pipe(demo.clone(), extract)?;
        let ended = import(
            &self.auditor,
            db,
            population.id,
            file_name,
            bytes,
            mapping,
            file,
            settings,
            language,
        )
        .await?;
        anyhow::ensure!(
            ended.state == population_import::State::Completed,
            "{} {}",
            ended.failure.unwrap_or_default(),
            ended.failure_detail.unwrap_or_default()
        );
        Ok(())
    }

    /// A start that was interrupted has left an import running; it ends by itself after some seconds.
    async fn wait_for_interrupted_imports(
        &self,
        db: &Db,
        population: entity::PopulationId,
        language: Language,
    ) -> anyhow::Result<()> {
        loop {
            population::sweep(&self.auditor.sources, db).await?;
            let imports = said(
                population::imports(&self.auditor, db, population, &ALL).await,
                language,
            )?;
            if imports
                .rows
                .iter()
                .all(|row| row.state != population_import::State::Running)
            {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        }
    }

    async fn reconcile(
        &self,
        db: &Db,
        demo: &Demo,
        extract: Extract,
        id: entity::PopulationId,
        language: Language,
    ) -> anyhow::Result<()> {
        let mut totals = Vec::new();
        demo.write_control_totals(extract, &mut totals)?;
        let (source, document) = match extract {
            Extract::Payments => (
                control_total::Source::HkrStatement,
                "HKR-Kontoauszug Nr. 2025/12 vom 09.01.2026",
            ),
            Extract::Decisions => (
                control_total::Source::DecisionRegister,
                "Bescheidregister, Stand 31.12.2025",
            ),
        };
        let input = ControlTotalInput {
            population_id: id,
            source,
            document_reference: document.to_owned(),
            cells: said(cells_from_csv(std::str::from_utf8(&totals)?), language)?,
        };
        let key = format!("demo-control-{}", id.0);
        said(
            population::enter_control_total(&self.head, db, &key, input).await,
            language,
        )?;
        for found in said(population::differences(&self.head, db, id, &ALL).await, language)?.rows {
            if found.state == entity::difference::State::Approved {
                continue;
            }
            let explained = said(
                population::explain_difference(
                    &self.auditor,
                    db,
                    found.id,
                    found.version,
                    CONTROL_DIFFERENCE.explanation,
                )
                .await,
                language,
            )?;
            said(
                population::approve_difference(&self.quality, db, found.id, explained.version).await,
                language,
            )?;
        }
        let current = said(population::find_many(&self.auditor, db, &[id]).await, language)?;
        let version = current.first().context("the population is gone")?.version;
        said(population::freeze(&self.auditor, db, id, version).await, language)?;
        Ok(())
    }
}

/// As many Bedarfsgemeinschaften as it takes for about so many payment lines.
fn size(lines: u64) -> Size {
    let whole = u64::from(Size::FULL.bedarfsgemeinschaften);
    let wanted = lines
        .saturating_mul(whole)
        .div_ceil(200_000)
        .clamp(60, whole * 100);
    Size {
        bedarfsgemeinschaften: u32::try_from(wanted).unwrap_or(Size::FULL.bedarfsgemeinschaften),
    }
}

/// Bytes of an extract, for the bar.
fn written(demo: &Demo, extract: Extract) -> std::io::Result<u64> {
    struct Counter(u64);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    write(demo, extract, &mut counter)?;
    Ok(counter.0)
}

/// The extract as a file that is read while it is written.
fn pipe(demo: Arc<Demo>, extract: Extract) -> std::io::Result<impl Read + Send + 'static> {
    let (reader, writer) = std::io::pipe()?;
    std::thread::spawn(move || {
        let mut writer = std::io::BufWriter::with_capacity(1 << 16, writer);
        // A reader that gave up has said why.
        let _ = write(&demo, extract, &mut writer).and_then(|_| writer.flush());
    });
    Ok(reader)
}

fn write(demo: &Demo, extract: Extract, writer: &mut impl std::io::Write) -> std::io::Result<u64> {
    match extract {
        Extract::Payments => demo.write_payments(writer),
        Extract::Decisions => demo.write_decisions(writer),
    }
}
