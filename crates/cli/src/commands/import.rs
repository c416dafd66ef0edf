//! `menjin import`

use std::{io::Read, path::Path, process::ExitCode};

use anyhow::Context;
use menjin_core::{Clock, IdentityId, Instant};
use menjin_store::{Entry, Error, Imported, Linked, NewIdentity, NewUser, Store, Tx};
use serde_json::{Value, json};

use super::with_store;
use crate::{
    args::ImportArgs,
    output::{Failure, complain, say},
    people::{
        Face, Format, Person,
        check::{self, Rules},
        problems::Problems,
        progress::Progress,
        read,
    },
    process::{Signals, SystemClock},
};

/// People in one story: enough that a commit costs nothing, few enough that a server beside this
/// waits for none.
const PAGE: usize = 1_000;
/// On a database across a network, where each statement is a journey and a story has ten seconds.
const PAGE_FAR: usize = 250;
/// The bytes of a sealed session key: what stands in place of one grows not when it comes.
const SEALED: usize = 57;

pub(super) fn run(args: &ImportArgs) -> Result<ExitCode, Failure> {
    let name = match args.file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => args.file.display().to_string(),
    };
    let format = Format::of(&args.file, args.format)?;
    with_store(&args.config, async |config, store| {
        let mut problems = Problems::new(name.clone());
        let rules = Rules::new(config);
        let bytes = contents(&args.file, &name)?;
        let rows = read::rows(&bytes, format, rules.fields, &mut problems);
        let people = check::people(rows, &rules, &mut problems);
        let people = beside_others(store, people, &mut problems).await?;
        if !problems.is_empty() {
            return Err(Failure::refused(problems.to_string()));
        }
        let import = Import {
            store,
            dry_run: args.dry_run,
            now: SystemClock::new().now(),
        };
        import.run(people).await
    })
}

fn contents(path: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::refused(format!("{name} cannot be read: {error}")))?;
    Ok(bytes)
}

/// Checks people against the accounts that there are: what WeChat calls somebody is one person's.
async fn beside_others(
    store: &Store,
    mut people: Vec<Person>,
    problems: &mut Problems,
) -> Result<Vec<Person>, Failure> {
    if people.iter().all(|person| person.faces.is_empty()) {
        return Ok(people);
    }
    let size = page_size(store);
    let mut checked = Vec::with_capacity(people.len());
    while !people.is_empty() {
        let page: Vec<_> = people.drain(..size.min(people.len())).collect();
        let reading = store.read(move |tx| {
            Box::pin(async move {
                let mut wrong = Vec::new();
                for person in &page {
                    wrong.extend(somebody_elses(tx, person).await?);
                }
                Ok::<_, Error>((page, wrong))
            })
        });
        let (page, wrong) = reading.await.context("the accounts could not be read")?;
        for (line, column) in wrong {
            problems.of(
                line,
                column,
                "belongs to an account with another phone number",
            );
        }
        checked.extend(page);
    }
    Ok(checked)
}

/// What of a person is another account's.
async fn somebody_elses(
    tx: &mut Tx,
    person: &Person,
) -> Result<Option<(u64, &'static str)>, Error> {
    for face in &person.faces {
        let known = tx.identity_find(&face.appid, &face.openid).await?;
        let owner = known
            .filter(|known| known.linked)
            .and_then(|known| known.user);
        if owner.is_some_and(|owner| owner.phone != person.phone.as_str()) {
            return Ok(Some((person.line, "openid")));
        }
        let Some(unionid) = &face.unionid else {
            continue;
        };
        let owner = tx.user_find_by_unionid(unionid).await?;
        if owner.is_some_and(|owner| owner.phone != person.phone.as_str()) {
            return Ok(Some((person.line, "unionid")));
        }
    }
    Ok(None)
}

fn page_size(store: &Store) -> usize {
    if store.is_shared() { PAGE_FAR } else { PAGE }
}

/// What became of people.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    created: usize,
    updated: usize,
    unchanged: usize,
    claimed: usize,
    /// Of an account that another took meanwhile.
    elsewhere: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.claimed += other.claimed;
        self.elsewhere += other.elsewhere;
    }

    fn count(&mut self, became: Option<&Imported>) {
        match became {
            None | Some(Imported::Created(_)) => self.created += 1,
            Some(Imported::Updated(_)) => self.updated += 1,
            Some(Imported::Unchanged(_)) => self.unchanged += 1,
            Some(Imported::Claimed(_)) => self.claimed += 1,
        }
    }

    fn words(&self, would: bool) -> String {
        let Self {
            created,
            updated,
            unchanged,
            claimed,
            ..
        } = self;
        let would = if would { "would be " } else { "" };
        format!(
            "{would}created: {created}, {would}updated: {updated}, unchanged: {unchanged}, left alone \
             since their people have claimed them: {claimed}"
        )
    }
}

/// An import whose people have all been checked.
struct Import<'s> {
    store: &'s Store,
    dry_run: bool,
    now: Instant,
}

impl Import<'_> {
    async fn run(&self, people: Vec<Person>) -> Result<ExitCode, Failure> {
        let total = people.len();
        let mut tally = Tally::default();
        let mut progress = Progress::start(
            if self.dry_run {
                "looked at"
            } else {
                "imported"
            },
            total,
        );
        let stop = Signals::watch()?.first();
        tokio::pin!(stop);
        let mut people = people.into_iter();
        let size = page_size(self.store);
        loop {
            let page: Vec<_> = people.by_ref().take(size).collect();
            if page.is_empty() {
                break;
            }
            let count = page.len();
            let told = self.page(page).await;
            let done = progress.done();
            tally.add(told.with_context(|| {
                format!("stopped after {done} of {total} people; run this again to go on")
            })?);
            progress.add(count);
            let stopped = tokio::select! {
                biased;
                () = &mut stop => true,
                () = std::future::ready(()) => false,
            };
            if stopped && progress.done() < total {
                let done = progress.done();
                drop(progress);
                complain(format_args!(
                    "stopped after {done} of {total} people; run this again to go on"
                ));
                return Ok(ExitCode::from(130));
            }
        }
        drop(progress);
        say(tally.words(self.dry_run))?;
        if tally.elsewhere > 0 {
            say(format_args!(
                "{} openids had meanwhile become another account's, and stayed so",
                tally.elsewhere
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn page(&self, page: Vec<Person>) -> Result<Tally, Error> {
        let now = self.now;
        if self.dry_run {
            let story = self
                .store
                .read(move |tx| Box::pin(async move { foresee(tx, &page, now).await }));
            return story.await;
        }
        let story = self
            .store
            .write(move |tx| Box::pin(async move { write(tx, &page, now).await }));
        story.await
    }
}

async fn foresee(tx: &mut Tx, page: &[Person], now: Instant) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    for person in page {
        let profile = Value::Object(person.profile.clone()).to_string();
        let new = account(person, &profile, now);
        let became = tx.user_foresee_import(&new).await?;
        tally.count(became.as_ref());
    }
    Ok(tally)
}

async fn write(tx: &mut Tx, page: &[Person], now: Instant) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    for person in page {
        let profile = Value::Object(person.profile.clone()).to_string();
        let became = tx.user_import(&account(person, &profile, now)).await?;
        tally.count(Some(&became));
        if matches!(became, Imported::Claimed(_)) {
            continue;
        }
        for face in &person.faces {
            let new = identity(face, now);
            let linked = tx.identity_import(became.uid(), &new).await?;
            if matches!(linked, Linked::Elsewhere(_)) {
                tally.elsewhere += 1;
            }
        }
    }
    if tally.created + tally.updated > 0 {
        let detail = json!({ "created": tally.created, "updated": tally.updated }).to_string();
        let entry = Entry {
            event: "imported",
            actor: "operator",
            subject: "users",
            detail: &detail,
        };
        tx.audit(&entry, now).await?;
    }
    Ok(tally)
}

fn account<'p>(person: &'p Person, profile: &'p str, now: Instant) -> NewUser<'p> {
    NewUser {
        phone: Some(person.phone.as_str()),
        email: &person.mail,
        nickname: &person.nickname,
        avatar: &person.avatar,
        campus: &person.campus,
        role: person.role,
        profile,
        ..NewUser::empty(now)
    }
}

/// Without a session key: the first sign-in brings one.
fn identity(face: &Face, now: Instant) -> NewIdentity {
    NewIdentity {
        id: IdentityId::random(),
        appid: face.appid.clone(),
        openid: face.openid.clone(),
        unionid: face.unionid.clone(),
        session_key: vec![0; SEALED],
        session_key_digest: [0; 32],
        release: None,
        now,
    }
}
