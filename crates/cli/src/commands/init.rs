//! `menjin init`

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use menjin_core::{MasterKeys, Secret};

use crate::{
    args::InitArgs,
    config::{InitAnswers, render},
    output::{Failure, say},
    wiring,
};

pub(super) fn run(args: &InitArgs) -> Result<(), Failure> {
    let shown = args.output.display();
    if args.output.exists() && !args.force {
        return Err(Failure::refused(format!(
            "{shown} is there already, and its keys open the database. Choose another file with \
             --output, or say --force to write over it"
        )));
    }
    let (appid, secret) = (appid(args)?, secret(args)?);
    let complete = appid.is_some() && secret.is_some();
    let answers = InitAnswers {
        appid: appid.unwrap_or_else(|| "your-appid".to_owned()),
        app_secret: secret.unwrap_or_else(|| Secret::new("your-app-secret")),
        master_key: MasterKeys::generate(),
        store_url: store_url(args)?,
        listen: args.listen.to_string(),
        public_url: args.public_url.clone(),
    };
    wiring::write_private(&args.output, &render(&answers), args.force)?;
    say(format_args!(
        "{shown} is written, with a fresh master key. Keep a copy of it somewhere safe: without \
         the key, the database's secrets are lost."
    ))?;
    if !complete {
        say(format_args!(
            "Put the AppID and the AppSecret of your mini program into {shown}: WeChat's console \
             shows them under 开发管理 / 开发设置."
        ))?;
    }
    say(format_args!("Next: menjin doctor --config {shown}"))
}

fn appid(args: &InitArgs) -> Result<Option<String>, Failure> {
    match &args.appid {
        Some(appid) => {
            let parsed = menjin_core::Appid::parse(appid);
            parsed.map_err(|complaint| Failure::refused(format!("--appid: {complaint}")))?;
            Ok(Some(appid.clone()))
        }
        None => ask("AppID (empty to fill it in later): "),
    }
}

fn secret(args: &InitArgs) -> Result<Option<Secret>, Failure> {
    match &args.secret_file {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
            Ok(Some(Secret::new(text.trim())))
        }
        None => Ok(ask("AppSecret (empty to fill it in later): ")?.map(|text| Secret::new(&text))),
    }
}

/// Asks on a terminal; elsewhere nobody would answer.
fn ask(question: &str) -> Result<Option<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let _ = write!(std::io::stderr(), "{question}");
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.context("the answer could not be read")?;
    let answer = line.trim();
    Ok((!answer.is_empty()).then(|| answer.to_owned()))
}

fn store_url(args: &InitArgs) -> Result<String, Failure> {
    if let Some(url) = &args.store_url {
        return Ok(url.clone());
    }
    let beside = args
        .output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder: PathBuf = beside.unwrap_or(Path::new(".")).to_owned();
    let folder = folder
        .canonicalize()
        .with_context(|| format!("the folder {} cannot be used", folder.display()))?;
    Ok(format!("sqlite://{}/menjin.db", folder.display()))
}
