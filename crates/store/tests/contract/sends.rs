//! Messages that count against limits.

use menjin_core::sending::{Lately, SendLimits};
use menjin_store::{Channel, Error, NewSend, Tx};
use tokio::task::JoinSet;

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

const NUMBER: [u8; 32] = [7; 32];
const OTHER: [u8; 32] = [8; 32];
const NOW: i64 = 1_700_000_000_000;
const DAY: i64 = 24 * 3_600_000;

fn sms(id: u8) -> NewSend {
    NewSend {
        id: [id; 16],
        channel: Channel::Sms,
        purpose: "register",
        contact_digest: NUMBER,
        asker: "wang".to_owned(),
        address: "192.0.2.1".to_owned(),
        now: NOW + i64::from(id),
    }
}

async fn add(db: &Db, new: NewSend) {
    tell!(db, |tx| tx.send_add(&new).await).unwrap();
}

/// Reads what counts, and adds a message if one more may go out.
async fn reserve(tx: &mut Tx, new: &NewSend) -> Result<bool, Error> {
    tx.turn_take(&new.contact_digest, new.now).await?;
    let lately = Lately {
        to_contact: tx
            .send_to_contact(new.channel, &new.contact_digest, new.now - DAY)
            .await?,
        by_asker: tx.send_by_asker(&new.asker, new.now - DAY).await?,
        ..Lately::default()
    };
    let limits = SendLimits {
        per_address: 0,
        budget: 0,
    };
    let free = limits.check(&lately, &new.contact_digest, new.now).is_ok();
    if free {
        tx.send_add(new).await?;
    }
    Ok(free)
}

on_each_database! {
    async fn messages_count_for_number_person_address_and_all(db) {
        for id in 0..12 {
            add(&db, sms(id)).await;
        }
        add(&db, NewSend { channel: Channel::Mail, ..sms(20) }).await;
        add(&db, NewSend { channel: Channel::None, asker: "li".to_owned(), ..sms(21) }).await;
        let elsewhere = NewSend {
            contact_digest: OTHER,
            asker: "li".to_owned(),
            address: "192.0.2.2".to_owned(),
            ..sms(22)
        };
        add(&db, elsewhere).await;
        ask!(db, |tx| {
            let latest: Vec<_> = (2..12).rev().map(|n| NOW + n).collect();
            assert_eq!(tx.send_to_contact(Channel::Sms, &NUMBER, 0).await?, latest, "ten");
            assert_eq!(tx.send_to_contact(Channel::Sms, &NUMBER, NOW + 10).await?, [NOW + 11]);
            assert_eq!(tx.send_to_contact(Channel::Mail, &NUMBER, 0).await?, [NOW + 20]);
            assert_eq!(tx.send_to_contact(Channel::Mail, &OTHER, 0).await?, [0; 0]);
            let asked = tx.send_by_asker("li", NOW).await?;
            assert_eq!(asked, [(NOW + 22, OTHER), (NOW + 21, NUMBER)]);
            assert_eq!(tx.send_by_asker("wang", NOW + 11).await?, [(NOW + 20, NUMBER)]);
            assert_eq!(tx.send_from_address("192.0.2.1", NOW).await?, 13);
            assert_eq!(tx.send_from_address("192.0.2.2", NOW + 22).await?, 0);
            assert_eq!(tx.send_in_all(NOW + 19).await?, 3);
            assert_eq!(tx.send_in_all(0).await?, 15);
            Ok::<_, Error>(())
        }).unwrap();
    }

    /// Proves OTP-8: of a hundred at once to one number, one goes out; a minute later one more.
    async fn of_a_hundred_at_once_one_goes_out(db) {
        for minute in 0..2 {
            let mut racers = JoinSet::new();
            for racer in 0..100_u8 {
                let db = db.clone();
                let new = NewSend {
                    id: [racer + minute * 100; 16],
                    asker: format!("person {racer}"),
                    now: NOW + i64::from(minute) * 60_000,
                    ..sms(0)
                };
                racers.spawn(async move { tell!(db, |tx| reserve(tx, &new).await).unwrap() });
            }
            let sent = racers.join_all().await.into_iter().filter(|sent| *sent).count();
            assert_eq!(sent, 1, "in minute {minute}");
        }
    }

    /// Proves OTP-13: a message that did not go out takes nothing of the limit.
    async fn a_message_that_was_taken_back_counts_no_more(db) {
        assert!(tell!(db, |tx| reserve(tx, &sms(1)).await).unwrap());
        assert!(!tell!(db, |tx| reserve(tx, &sms(2)).await).unwrap());
        tell!(db, |tx| tx.send_take_back(&[1; 16]).await).unwrap();
        assert!(tell!(db, |tx| reserve(tx, &sms(3)).await).unwrap());
    }

    async fn what_the_provider_said_is_written_down(db) {
        add(&db, sms(1)).await;
        tell!(db, |tx| tx.send_settle(&[1; 16], Some("106-1"), Some(45)).await).unwrap();
        let row = db.raw("SELECT provider_id || ' ' || CAST(cost AS TEXT) FROM sends").await;
        assert_eq!(row.unwrap(), ["106-1 45"]);
        let twice = tell!(db, |tx| tx.send_add(&sms(1)).await);
        assert!(twice.is_err(), "one id is one message");
    }

    /// Proves DEL-3: who asked and from where is forgotten; the number's limit still holds.
    async fn somebody_who_leaves_is_forgotten_and_the_limit_stays(db) {
        add(&db, sms(1)).await;
        add(&db, NewSend { asker: "li".to_owned(), ..sms(2) }).await;
        tell!(db, |tx| tx.send_forget_asker("wang", "former").await).unwrap();
        let row = db.raw("SELECT asker || '@' || address FROM sends ORDER BY at").await;
        assert_eq!(row.unwrap(), ["former@", "li@192.0.2.1"]);
        let sent = ask!(db, |tx| tx.send_to_contact(Channel::Sms, &NUMBER, 0).await);
        assert_eq!(sent.unwrap().len(), 2);
    }

    /// Proves DEL-8: addresses go with the messages, which go when they are old.
    async fn old_messages_are_purged(db) {
        for id in 0..3 {
            add(&db, sms(id)).await;
        }
        assert_eq!(tell!(db, |tx| tx.send_purge(NOW + 2).await).unwrap(), 2);
        assert_eq!(ask!(db, |tx| tx.send_in_all(0).await).unwrap(), 1);
    }
}
