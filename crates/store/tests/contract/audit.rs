//! The audit log: it grows, and nothing in it changes.

use menjin_store::Entry;

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

const DISABLED: Entry<'_> = Entry {
    event: "user_disabled",
    actor: "operator",
    subject: "100001",
    detail: "{}",
};

on_each_database! {
    async fn entries_come_back_in_order(db) {
        for at in 1..=5 {
            tell!(db, |tx| tx.audit(&DISABLED, at).await).unwrap();
        }
        let all = ask!(db, |tx| tx.audit_all(0, 100).await).unwrap();
        assert_eq!(all.iter().map(|entry| entry.at).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert!(all.windows(2).all(|pair| pair[0].seq < pair[1].seq));
        let first = &all[0];
        assert_eq!(
            (&*first.event, &*first.actor, &*first.subject, &*first.detail),
            ("user_disabled", "operator", "100001", "{}"),
        );
        let after = all[1].seq;
        let page = ask!(db, |tx| tx.audit_all(after, 2).await).unwrap();
        assert_eq!(page, all[2..4]);
    }

    async fn entries_are_never_changed(db) {
        tell!(db, |tx| tx.audit(&DISABLED, 1).await).unwrap();
        for sql in ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"] {
            let refused = db.raw(sql).await.unwrap_err();
            assert!(refused.contains("the audit log is append-only"), "{refused}");
        }
        if db.store.is_shared() {
            assert!(db.raw("TRUNCATE audit").await.is_err());
        }
        let all = ask!(db, |tx| tx.audit_all(0, 100).await).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].actor, "operator");
    }
}
