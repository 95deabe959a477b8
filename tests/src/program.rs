//! The binary as an operator runs it: in a folder of its own, by its arguments, environment, output and signals.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::{Backend, Service, fresh_database, missing};

/// How long a test waits for what the binary is about to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// The binary, with a folder and an environment.
pub struct Program {
    binary: PathBuf,
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    // What is put in front of the binary; it ends by becoming the binary.
    within: Vec<String>,
}

/// What a finished run left.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// Where the binary is; none where it was not built.
pub fn binary() -> Option<PathBuf> {
    let binary = std::env::current_exe()
        .unwrap()
        .parent()?
        .parent()?
        .join("pruefpfad");
    if !binary.is_file() {
        missing(&format!("{} (cargo build --workspace --bins)", binary.display()));
        return None;
    }
    Some(binary)
}

impl Program {
    /// The binary on an empty database of its own; none where it was not built or there is no cluster.
    pub async fn on(backend: Backend) -> Option<Self> {
        let program = Self::built()?;
        let url = match backend {
            Backend::Sqlite => format!("sqlite://{}", program.folder().join("test.sqlite").display()),
            Backend::Postgres => fresh_database().await?,
        };
        Some(program.with("PRUEFPFAD__DATABASE__URL", &url))
    }

    /// The binary beside a service, on its database and with its keys; none where it was not built.
    pub fn beside(service: &Service) -> Option<Self> {
        let settings = &service.settings;
        let key = settings.auth.development_key_file.display().to_string();
        Some(
            Self::built()?
                .with("PRUEFPFAD__DATABASE__URL", settings.database.url.expose_secret())
                .with("PRUEFPFAD__AUTH__DEVELOPMENT_KEY_FILE", &key),
        )
    }

    fn built() -> Option<Self> {
        let binary = binary()?;
        let program = Self {
            binary,
            folder: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
            within: Vec::new(),
        };
        Some(
            program
                .with("PRUEFPFAD_LANG", "en")
                .with("PRUEFPFAD__SERVER__LISTEN", "127.0.0.1:0")
                .with("PRUEFPFAD__SERVER__WORKERS", "1")
                .with("PRUEFPFAD__SERVER__SHUTDOWN_SECONDS", "2")
                .with("PRUEFPFAD__AUTH__DEVELOPMENT_KEY", "true")
                .with("PRUEFPFAD__EXPLORER__ENABLED", "false"),
        )
    }

    /// The same with one more setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a SQLite database on a disk of its own: a mount of that size at `small` in its folder, seen by the
    /// program alone and gone with it.
    #[must_use]
    pub fn on_small_disk(mut self, size: &str) -> Self {
        let disk = self.folder().join("small").display().to_string();
        std::fs::create_dir(&disk).unwrap();
        let script = format!("mount -t tmpfs -o size={size} small '{disk}' && exec \"$0\" \"$@\"");
        self.within = ["unshare", "--mount", "sh", "-c", &script]
            .map(str::to_owned)
            .into();
        self.with(
            "PRUEFPFAD__DATABASE__URL",
            &format!("sqlite://{disk}/test.sqlite"),
        )
    }

    /// The database it runs on.
    pub fn database(&self) -> &str {
        let of = self.environment.iter().rev();
        let mut named = of.filter(|(name, _)| name == "PRUEFPFAD__DATABASE__URL");
        named.next().map_or("", |(_, url)| url)
    }

    /// Its folder, where it runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into its folder.
    pub fn file(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut words: Vec<OsString> = self.within.iter().map(Into::into).collect();
        words.push(self.binary.clone().into());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        let output = tokio::time::timeout(PATIENCE * 2, self.command(arguments).output()).await;
        let output = output.expect("an end in time").unwrap();
        Ended {
            code: output.status.code().expect("an exit code"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, where nothing else than success will do.
    pub async fn succeeds(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments).await;
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.out
    }

    /// Starts it, for a test that does not wait for its end.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).spawn().unwrap()
    }

    /// Starts a service and waits until it says where it listens.
    pub async fn serve(&self, arguments: &[&str]) -> Serving {
        let mut command = self.command(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (Arc::default(), Arc::default());
        let readers = vec![
            tokio::spawn(gather(child.stdout.take().unwrap(), Arc::clone(&out))),
            tokio::spawn(gather(child.stderr.take().unwrap(), Arc::clone(&err))),
        ];
        let mut serving = Serving {
            child,
            readers,
            address: String::new(),
            out,
            err,
        };
        let begun = Instant::now();
        while serving.address.is_empty() {
            assert!(
                begun.elapsed() < PATIENCE * 2,
                "no address:\n{}{}",
                serving.out(),
                serving.err()
            );
            assert!(
                serving.child.try_wait().unwrap().is_none(),
                "ended:\n{}{}",
                serving.out(),
                serving.err()
            );
            serving.address = listening(&format!("{}{}", serving.out(), serving.err())).unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        serving
    }
}

/// The address in what a service said: a log line of `serve`, or the welcome of `demo`.
fn listening(text: &str) -> Option<String> {
    let line = text
        .lines()
        .find(|line| line.contains("serving") || line.starts_with("GraphQL "))?;
    let (_, rest) = line.split_once("127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("http://127.0.0.1:{port}"))
}

async fn gather(stream: impl AsyncRead + Unpin, into: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut text = into.lock().unwrap();
        text.push_str(&line);
        text.push('\n');
    }
}

/// A running service.
pub struct Serving {
    /// Where it listens: `http://127.0.0.1:4711`.
    pub address: String,
    child: Child,
    readers: Vec<tokio::task::JoinHandle<()>>,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
}

impl Serving {
    /// What it wrote to standard output so far.
    pub fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// What it wrote to standard error so far.
    pub fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("a running service")
    }

    /// Presses Ctrl-C and waits for the end.
    pub async fn interrupt(mut self) -> Ended {
        let pid = self.pid().to_string();
        let told = Command::new("sh")
            .args(["-c", "kill -INT \"$0\"", &pid])
            .status()
            .await
            .unwrap();
        assert!(told.success());
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("an end in time")
            .unwrap();
        for reader in self.readers.drain(..) {
            reader.await.unwrap();
        }
        Ended {
            code: status.code().expect("an exit code, no signal"),
            out: self.out(),
            err: self.err(),
        }
    }
}
