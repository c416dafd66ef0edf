//! What is stored of one person is found, and nothing of anybody else.

use menjin_core::{IdentityId, verification::Purpose};
use menjin_store::{Channel, Entry, Error, NewIdentity, NewSend, NewVerification, Tx};

use crate::harness::{
    Db, account, ask, newcomer, on_each_database, on_postgres, on_sqlite, tell, unionid,
};

fn asked(asker: &str, contact: u8) -> NewVerification {
    NewVerification {
        id: [contact; 16],
        purpose: Purpose::NewPhone,
        contact_digest: [contact; 32],
        contact: Some(vec![contact]),
        asker: asker.to_owned(),
        code_digest: [0; 32],
        consent: Some("2026-11".to_owned()),
        expires_at: 9_000,
    }
}

async fn sent(tx: &mut Tx, asker: &str, (id, contact): (u8, u8), now: i64) -> Result<(), Error> {
    let send = NewSend {
        id: [id; 16],
        channel: Channel::Sms,
        purpose: "register",
        contact_digest: [contact; 32],
        asker: asker.to_owned(),
        address: "192.0.2.7".to_owned(),
        now,
    };
    tx.send_add(&send).await
}

on_each_database! {
    async fn an_account_knows_its_times(db) {
        let uid = tell!(db, |tx| tx.user_create(&account(None)).await).unwrap().unwrap();
        tell!(db, |tx| tx.user_raise_epoch(uid, 2_000).await).unwrap();
        assert_eq!(ask!(db, |tx| tx.user_times(uid).await).unwrap(), Some((1_000, 2_000)));
        assert!(tell!(db, |tx| tx.user_delete(uid, 1).await).unwrap());
        assert_eq!(ask!(db, |tx| tx.user_times(uid).await).unwrap(), None);
    }

    async fn what_somebody_asked_for_is_theirs_alone(db) {
        tell!(db, |tx| {
            tx.verification_open(&asked("100001", 1)).await?;
            tx.verification_open(&asked("100002", 2)).await?;
            sent(tx, "100001", (1, 7), 1_000).await?;
            sent(tx, "100001", (2, 8), 2_000).await?;
            sent(tx, "100002", (3, 7), 3_000).await
        })
        .unwrap();
        let mine = ask!(db, |tx| tx.verification_export("100001").await).unwrap();
        assert_eq!(mine.len(), 1);
        assert_eq!((&*mine[0].purpose, &mine[0].contact), ("new_phone", &Some(vec![1])));
        assert_eq!((mine[0].consent.as_deref(), mine[0].tries), (Some("2026-11"), 0));
        let sends = ask!(db, |tx| tx.send_export("100001").await).unwrap();
        assert_eq!(sends.iter().map(|send| send.at).collect::<Vec<_>>(), [2_000, 1_000]);
        assert_eq!((&*sends[0].address, sends[0].contact_digest), ("192.0.2.7", [8; 32]));
        let to = ask!(db, |tx| tx.send_export_to(Channel::Sms, &[7; 32], 1_001).await).unwrap();
        assert_eq!(to.iter().map(|send| &*send.asker).collect::<Vec<_>>(), ["100002"]);
        let mails = ask!(db, |tx| tx.send_export_to(Channel::Mail, &[7; 32], 0).await).unwrap();
        assert_eq!(mails, []);
    }

    async fn the_audit_log_is_found_by_subject(db) {
        tell!(db, |tx| {
            for (at, subject) in [(1, "100001"), (2, "100002"), (3, "100001"), (4, "100001")] {
                let entry = Entry { event: "x", actor: "100009", subject, detail: "{}" };
                tx.audit(&entry, at).await?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
        let first = ask!(db, |tx| tx.audit_before("100001", i64::MAX, 2).await).unwrap();
        assert_eq!(first.iter().map(|entry| entry.at).collect::<Vec<_>>(), [4, 3]);
        let before = first[1].seq;
        let rest = ask!(db, |tx| tx.audit_before("100001", before, 2).await).unwrap();
        assert_eq!(rest.iter().map(|entry| entry.at).collect::<Vec<_>>(), [1]);
    }

    async fn a_person_without_an_account_is_found_by_the_unionid(db) {
        let people = ["a", "b", "c", "d", "e"].map(|name| NewIdentity {
            unionid: (name != "d").then(|| unionid(if name == "c" { "other" } else { "wang" })),
            ..newcomer(name)
        });
        let linked = people[4].id;
        let mut expected: Vec<IdentityId> = vec![people[0].id, people[1].id];
        expected.sort_unstable();
        tell!(db, |tx| {
            let uid = tx.user_create(&account(None)).await?.unwrap();
            for new in &people {
                tx.identity_create(new).await?;
            }
            tx.identity_link(&linked, uid).await.map(drop)
        })
        .unwrap();
        for page in [1, 2, 5, 6] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let looked = ask!(db, |tx| {
                    tx.identity_look_for(&[unionid("wang")], after, page).await
                })
                .unwrap();
                found.extend(looked.found);
                after = looked.after;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{page} at a time");
        }
    }
}
