//! A fresh database per test, on SQLite always and on PostgreSQL where `TEST_POSTGRES_URL` names a cluster.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot start fails"
)]

use std::sync::Arc;

use audit::access::{Caller, Membership};
use audit::{Ctx, Db, OsRandom, Sources, SystemClock, Vault, jobcenter};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// A database, and people to act in it.
pub struct House {
    pub db: Db,
    url: String,
    pub sources: Arc<Sources>,
    _folder: tempfile::TempDir,
}

impl House {
    /// An empty house on SQLite.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.sqlite").display());
        Self::at(&url, folder).await
    }

    /// An empty house on PostgreSQL, or none where no cluster is named.
    pub async fn postgres() -> Option<Self> {
        let Ok(cluster) = std::env::var("TEST_POSTGRES_URL") else {
            println!("skipped: TEST_POSTGRES_URL is not set");
            return None;
        };
        let sources = sources();
        let name = format!("audit_{}", Uuid::from_bytes(sources.random_bytes()).simple());
        let owner = Db::connect(&cluster, 2).await.unwrap();
        owner
            .owner()
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let (server, _) = cluster.rsplit_once('/').unwrap();
        Some(Self::at(&format!("{server}/{name}"), tempfile::tempdir().unwrap()).await)
    }

    async fn at(url: &str, folder: tempfile::TempDir) -> Self {
        let house = Self {
            db: Db::connect(url, 8).await.unwrap(),
            url: url.to_owned(),
            sources: sources(),
            _folder: folder,
        };
        let owner = house.another().await;
        migration::up(owner.owner()).await.unwrap();
        migration::reads::up(owner.reads_owner()).await.unwrap();
        house
    }

    /// The same with a Jobcenter in it.
    pub async fn set_up(self) -> Self {
        let preset = jobcenter::preset("recklinghausen").unwrap();
        jobcenter::set_up(&Ctx::system(self.sources.clone()), &self.db, preset, None)
            .await
            .unwrap();
        self
    }

    /// The same database over connections of its own, as another instance has them.
    pub async fn another(&self) -> Db {
        Db::connect(&self.url, 4).await.unwrap()
    }

    /// Somebody with a membership: `INNENREVISION`, `SACHBEARBEITUNG:03`.
    pub async fn person(&self, subject: &str, membership: &str) -> Ctx {
        let membership: Membership = membership.parse().unwrap();
        let bezirksstelle = match membership.bezirksstelle() {
            Some(number) => Some(
                jobcenter::by_number(self.db.reader(), number)
                    .await
                    .unwrap()
                    .expect("a known number")
                    .id,
            ),
            None => None,
        };
        let caller = Caller {
            subject: subject.to_owned(),
            name: None,
            membership: Some(membership),
            bezirksstelle,
            authenticated: true,
            grant: None,
        };
        Ctx::new(caller, Uuid::nil(), self.sources.clone())
    }
}

fn sources() -> Arc<Sources> {
    let random = Arc::new(OsRandom::new().unwrap());
    Arc::new(Sources::new(Arc::new(SystemClock), random, Vault::new([7; 32])))
}

/// Two tests of one story: `name::sqlite` and `name::postgres`; with a Jobcenter, or `empty`.
#[macro_export]
macro_rules! on_both {
    (empty $name:ident, $story:expr) => {
        on_both!($name, $story, |house: support::House| std::future::ready(
            house
        ));
    };
    ($name:ident, $story:expr) => {
        on_both!($name, $story, support::House::set_up);
    };
    ($name:ident, $story:expr, $prepared:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (story, prepared) = ($story, $prepared);
                story(prepared(support::House::sqlite().await).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let (story, prepared) = ($story, $prepared);
                if let Some(house) = support::House::postgres().await {
                    story(prepared(house).await).await;
                }
            }
        }
    };
}
