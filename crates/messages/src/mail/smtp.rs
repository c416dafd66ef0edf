//! Mail by SMTP: a conversation of its own for each message.

use std::{
    error::Error as StdError,
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
    },
};
use menjin_core::{Clock, Secret};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::time::timeout;

use crate::{
    BoxFuture, Reach, Receipt,
    connect::{TooMuch, open, roots, tls},
    error::{RefusedKind, SendError, SetupError},
    mail::{Mail, MailSender},
    sign::digest,
};

/// How long a server may take to say goodbye to a message that it has taken.
const GOODBYE: Duration = Duration::from_millis(500);
/// The last second of the year 9999, in milliseconds: later dates cannot be written.
const LAST: i64 = 253_402_300_799_000;

/// Which mail server, and who we are to it.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    /// Its name or address.
    pub host: String,
    /// 465 with [`Security::Implicit`], 587 with [`Security::StartTls`], as a rule.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who logs in; without it nobody does.
    pub login: Option<Login>,
    /// Whom the mails come from: an address, or a name and an address in `<>`.
    pub from: String,
    /// How it is reached.
    pub reach: Reach,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Implicit,
    /// TLS by STARTTLS, before anything else is said; a server that has none gets nothing.
    StartTls,
    /// None, to a server on this machine.
    None,
}

/// Who logs in to a mail server.
#[derive(Clone, Debug)]
pub struct Login {
    /// The account, which most servers call by its address.
    pub user: String,
    /// Its password, or the code that stands for it.
    pub password: Secret,
}

/// Sends through a mail server.
pub struct SmtpMail {
    options: SmtpOptions,
    from: Mailbox,
    protection: Protection,
    clock: Arc<dyn Clock>,
}

enum Protection {
    Implicit(Arc<ClientConfig>),
    StartTls(Box<TlsParameters>),
    None,
}

impl SmtpMail {
    /// A sender with no connection.
    ///
    /// # Errors
    ///
    /// [`SetupError::Unfit`], [`SetupError::From`], [`SetupError::Plaintext`],
    /// [`SetupError::CaFile`]; [`SetupError::Tls`] never in practice.
    pub fn new(options: SmtpOptions, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let from: Mailbox = options.from.parse().map_err(|_| SetupError::From)?;
        if !AsRef::<str>::as_ref(&from.email).is_ascii() || options.from.contains(char::is_control)
        {
            return Err(SetupError::From);
        }
        if options.host.is_empty() || !options.host.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SetupError::Unfit("host"));
        }
        let protection = Protection::new(&options)?;
        Ok(Self {
            options,
            from,
            protection,
            clock,
        })
    }

    /// Connects, protects the connection, and logs in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let SmtpOptions { host, port, .. } = &self.options;
        let tls = match &self.protection {
            Protection::Implicit(tls) => Some(tls),
            Protection::StartTls(_) | Protection::None => None,
        };
        let limit = self.options.reach.connect_timeout;
        let stream = open((host, *port), tls, limit).await?;
        // The name of the sender's domain, since the machine's own is nobody's business.
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello)
            .await
            .map_err(broken)?;
        if let Protection::StartTls(parameters) = &self.protection {
            if !connection.can_starttls() {
                return Err(misconfigured("no-starttls"));
            }
            connection
                .starttls((**parameters).clone(), &hello)
                .await
                .map_err(broken)?;
        }
        if let Some(login) = &self.options.login {
            log_in(&mut connection, login).await?;
        }
        Ok(connection)
    }

    async fn deliver(&self, mail: &Mail) -> Result<Receipt, SendError> {
        let message = self.message(mail)?;
        let conversation = async {
            let mut connection = self.connect().await?;
            connection
                .send(message.envelope(), &message.formatted())
                .await
                .map_err(broken)?;
            Ok(connection)
        };
        let mut connection = timeout(self.options.reach.timeout, conversation)
            .await
            .unwrap_or(Err(SendError::TimedOut))?;
        // The message is the server's now, whatever becomes of the goodbye.
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(Receipt::default())
    }

    async fn knock(&self) -> Result<(), SendError> {
        let conversation = async {
            let mut connection = self.connect().await?;
            connection.quit().await.map_err(broken)?;
            Ok(())
        };
        timeout(self.options.reach.timeout, conversation)
            .await
            .unwrap_or(Err(SendError::TimedOut))
    }

    fn message(&self, mail: &Mail) -> Result<Message, SendError> {
        let bad = || SendError::refused("address", RefusedKind::BadNumber, "");
        let to: Address = mail.to.as_str().parse().map_err(|_| bad())?;
        let subject: String = mail
            .subject
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let now = u64::try_from(self.clock.now().clamp(0, LAST)).unwrap_or_default();
        let content = digest(format!("{}\n{to}\n{subject}", mail.request_id).as_bytes());
        let id = format!("<{content}@{}>", self.from.email.domain());
        // Asks for no "out of office" (RFC 3834, section 5).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(now))
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(
                mail.text.clone(),
                mail.html.clone(),
            ))
            .map_err(|_| bad())
    }
}

impl MailSender for SmtpMail {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(self.deliver(mail))
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(self.knock())
    }
}

impl Protection {
    fn new(options: &SmtpOptions) -> Result<Self, SetupError> {
        let roots = roots(options.reach.ca_file.as_deref())?;
        match options.security {
            Security::Implicit => Ok(Self::Implicit(Arc::new(tls(roots)?))),
            Security::StartTls => {
                let parameters = parameters(&options.host, roots)
                    .map_err(|error| SetupError::Tls(Box::new(error)))?;
                Ok(Self::StartTls(Box::new(parameters)))
            }
            Security::None if is_here(&options.host) => Ok(Self::None),
            Security::None => Err(SetupError::Plaintext),
        }
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The same trust as [`tls`]'s, in the form that lettre's STARTTLS takes.
fn parameters(
    host: &str,
    roots: Vec<CertificateDer<'static>>,
) -> Result<TlsParameters, lettre::transport::smtp::Error> {
    let mut builder =
        TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::None);
    for root in roots {
        // Lettre fails at the first root that cannot be read, where rustls can leave it out.
        if RootCertStore::empty().add(root.clone()).is_ok() {
            builder = builder.add_root_certificate(Certificate::from_der(root.to_vec())?);
        }
    }
    builder.build()
}

async fn log_in(connection: &mut AsyncSmtpConnection, login: &Login) -> Result<(), SendError> {
    let known = [Mechanism::Plain, Mechanism::Login];
    if connection
        .server_info()
        .get_auth_mechanism(&known)
        .is_none()
    {
        return Err(misconfigured("no-login"));
    }
    let credentials = Credentials::new(login.user.clone(), login.password.expose().to_owned());
    connection
        .auth(&known, &credentials)
        .await
        .map_err(broken)?;
    Ok(())
}

fn misconfigured(word: &str) -> SendError {
    SendError::refused(word, RefusedKind::Misconfigured, "")
}

/// Of what a server says only the number is kept: the words like to repeat the address.
fn broken(error: lettre::transport::smtp::Error) -> SendError {
    if let Some(code) = error.status() {
        let code = code.to_string();
        return SendError::refused(&code, meaning(&code), "");
    }
    if error.is_timeout() {
        return SendError::TimedOut;
    }
    if error.is_response() {
        return SendError::Garbled("not SMTP");
    }
    if error.is_client() {
        return misconfigured("unsupported");
    }
    let too_much = |error: &io::Error| {
        error
            .get_ref()
            .is_some_and(|cause| cause.downcast_ref::<TooMuch>().is_some())
    };
    if std::iter::successors(error.source(), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(too_much)
    {
        return SendError::Garbled("more than a mail server has to say");
    }
    SendError::Unreachable(Arc::new(error))
}

/// What a reply's number means (RFC 5321, section 4.2.3, and RFC 4954, section 6).
fn meaning(code: &str) -> RefusedKind {
    match code {
        "421" | "450" | "451" | "452" => RefusedKind::TooOften,
        "501" | "550" | "551" | "553" | "556" => RefusedKind::BadNumber,
        "454" | "502" | "503" | "504" | "523" | "530" | "534" | "535" | "538" => {
            RefusedKind::Misconfigured
        }
        _ => RefusedKind::Other,
    }
}
