//! Every message that went out or is going out, for the limits and for the bill.

use menjin_core::{Instant, sending::LOOKED_AT};

use crate::{
    error::Error,
    tx::{Tx, statements},
};

statements! {
    TO_CONTACT = "
        SELECT at FROM sends WHERE contact_digest = $1 AND channel = $2 AND at > $3
         ORDER BY at DESC LIMIT $4";

    BY_ASKER = "
        SELECT at, contact_digest FROM sends WHERE asker = $1 AND at > $2
         ORDER BY at DESC LIMIT $3";

    FROM_ADDRESS = "SELECT COUNT(*) FROM sends WHERE address = $1 AND at > $2";

    IN_ALL = "SELECT COUNT(*) FROM sends WHERE at > $1";

    ADD = "
        INSERT INTO sends (id, channel, purpose, contact_digest, asker, address, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";

    SETTLE = "UPDATE sends SET provider_id = $2, cost = $3 WHERE id = $1";

    TAKE_BACK = "DELETE FROM sends WHERE id = $1";

    FORGET_ASKER = "UPDATE sends SET asker = $2, address = '' WHERE asker = $1";

    PURGE = "DELETE FROM sends WHERE at < $1";
}

/// How a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// As a text message.
    Sms,
    /// As a mail.
    Mail,
    /// Not at all: a question whose answer would have been a message, and that counts as one for
    /// whoever asked.
    None,
}

impl Channel {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
            Self::None => "none",
        }
    }
}

/// A message that is about to go out.
#[derive(Clone, Debug)]
pub struct NewSend {
    /// Its own id, drawn at random; the provider gets it as the request's.
    pub id: [u8; 16],
    /// How it goes.
    pub channel: Channel,
    /// Why.
    pub purpose: &'static str,
    /// To which number or address, as a keyed digest.
    pub contact_digest: [u8; 32],
    /// Who asked: an identity's id, or a uid.
    pub asker: String,
    /// From where.
    pub address: String,
    /// When.
    pub now: Instant,
}

impl Tx {
    /// When messages went to a number or an address after an instant, the latest first,
    /// [`LOOKED_AT`] at most.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn send_to_contact(
        &mut self,
        channel: Channel,
        contact_digest: &[u8; 32],
        after: Instant,
    ) -> Result<Vec<Instant>, Error> {
        let values = [
            contact_digest.into(),
            channel.as_str().into(),
            after.into(),
            LOOKED_AT.into(),
        ];
        self.all(TO_CONTACT, &values, |row| row.get(0)).await
    }

    /// When somebody asked after an instant and with which number or address, the latest first,
    /// [`LOOKED_AT`] at most.
    ///
    /// # Errors
    ///
    /// As [`Tx::send_to_contact`].
    pub async fn send_by_asker(
        &mut self,
        asker: &str,
        after: Instant,
    ) -> Result<Vec<(Instant, [u8; 32])>, Error> {
        let values = [asker.into(), after.into(), LOOKED_AT.into()];
        self.all(BY_ASKER, &values, |row| Ok((row.get(0)?, row.get(1)?)))
            .await
    }

    /// How many an address asked for after an instant.
    ///
    /// # Errors
    ///
    /// As [`Tx::send_to_contact`].
    pub async fn send_from_address(&mut self, address: &str, after: Instant) -> Result<i64, Error> {
        let values = [address.into(), after.into()];
        let count = self.one(FROM_ADDRESS, &values, |row| row.get(0)).await?;
        Ok(count.unwrap_or(0))
    }

    /// How many there were after an instant.
    ///
    /// # Errors
    ///
    /// As [`Tx::send_to_contact`].
    pub async fn send_in_all(&mut self, after: Instant) -> Result<i64, Error> {
        let count = self.one(IN_ALL, &[after.into()], |row| row.get(0)).await?;
        Ok(count.unwrap_or(0))
    }

    /// Counts a message, before it goes out.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn send_add(&mut self, new: &NewSend) -> Result<(), Error> {
        let values = [
            (&new.id).into(),
            new.channel.as_str().into(),
            new.purpose.into(),
            (&new.contact_digest).into(),
            new.asker.as_str().into(),
            new.address.as_str().into(),
            new.now.into(),
        ];
        self.run(ADD, &values).await.map(drop)
    }

    /// Writes down what the provider said of a message that it took.
    ///
    /// # Errors
    ///
    /// As [`Tx::send_add`].
    pub async fn send_settle(
        &mut self,
        id: &[u8; 16],
        provider_id: Option<&str>,
        cost: Option<i64>,
    ) -> Result<(), Error> {
        let values = [id.into(), provider_id.into(), cost.into()];
        self.run(SETTLE, &values).await.map(drop)
    }

    /// Takes back a message that did not go out: it counts no more.
    ///
    /// # Errors
    ///
    /// As [`Tx::send_add`].
    pub async fn send_take_back(&mut self, id: &[u8; 16]) -> Result<(), Error> {
        self.run(TAKE_BACK, &[id.into()]).await.map(drop)
    }

    /// Forgets who asked and from where: `former` stands in their place, under which the messages still
    /// count. A keyed digest that names nobody.
    ///
    /// # Errors
    ///
    /// As [`Tx::send_add`].
    pub async fn send_forget_asker(&mut self, asker: &str, former: &str) -> Result<(), Error> {
        let values = [asker.into(), former.into()];
        self.run(FORGET_ASKER, &values).await.map(drop)
    }

    /// Deletes those before an instant; how many.
    ///
    /// # Errors
    ///
    /// As [`Tx::send_add`].
    pub async fn send_purge(&mut self, before: Instant) -> Result<u64, Error> {
        self.run(PURGE, &[before.into()]).await
    }
}
