//! Who has a phone in this WeChat.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    LoginError,
    dice::{openid, unionid},
    recent::Recent,
};

/// People to pick from before anybody was invented.
const BUILT_IN: [&str; 5] = ["小王", "李娜", "张伟", "陈静", "阿依古丽·买买提"];
/// How many apps are listed for one person.
const APPS_PER_PERSON: usize = 16;

/// The people who were seen, each with the apps that they were seen in.
pub(crate) struct People(Recent<String, Vec<String>>);

/// A person as `GET /simulator/people` shows one.
#[derive(Serialize)]
pub(crate) struct Listed {
    person: String,
    openids: BTreeMap<String, String>,
    unionid: String,
    phone: String,
}

impl Listed {
    /// A person with a phone and an openid in each of the apps.
    pub(crate) fn new(person: String, phone: String, appids: &[String]) -> Self {
        let openids = appids
            .iter()
            .map(|appid| (appid.clone(), openid(appid, &person)))
            .collect();
        Self {
            unionid: unionid(&person),
            phone,
            person,
            openids,
        }
    }
}

impl People {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Recent::new(limit))
    }

    pub(crate) fn see(&mut self, person: &str, appid: Option<&str>) {
        let apps = self.0.entry(person.to_owned(), Vec::new);
        if let Some(appid) = appid
            && apps.len() < APPS_PER_PERSON
            && !apps.iter().any(|seen| seen == appid)
        {
            apps.push(appid.to_owned());
        }
    }

    /// The first app that the person was seen in.
    pub(crate) fn first_app(&self, person: &str) -> Option<String> {
        self.0.get(person).and_then(|apps| apps.first().cloned())
    }

    /// Everybody with their apps: those seen, the newest first, then the built-in ones.
    pub(crate) fn list(&self) -> Vec<(String, Vec<String>)> {
        let seen = self
            .0
            .iter()
            .map(|(person, apps)| (person.clone(), apps.clone()));
        let unseen = BUILT_IN
            .iter()
            .filter(|person| self.0.get(**person).is_none());
        seen.chain(unseen.map(|person| ((*person).to_owned(), Vec::new())))
            .collect()
    }
}

/// Refuses what is no name.
pub(crate) fn check_name(person: &str) -> Result<(), LoginError> {
    let length = person.chars().count();
    if (1..=64).contains(&length) && !person.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(LoginError::Person)
    }
}
