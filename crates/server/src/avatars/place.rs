//! Where pictures lie: a folder, or a bucket of an S3-compatible store.

use std::{
    fmt, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use menjin_core::Secret;
use object_store::{
    Attribute, Attributes, BackoffConfig, Certificate, ClientOptions, ObjectStore, ObjectStoreExt,
    PutOptions, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem, path::Path as Key,
};
use tokio::time::timeout;

/// For a name, a connection and TLS together.
const CONNECT: Duration = Duration::from_secs(3);
/// For one request, and for all that it takes to do something.
const REQUEST: Duration = Duration::from_secs(8);
const ALL: Duration = Duration::from_secs(12);
/// No picture of ours is larger.
const MAX: u64 = 2 * 1024 * 1024;

/// Where pictures are to lie.
#[derive(Debug, Clone, Default)]
pub struct PicturesOptions {
    /// `file:///folder`, or `s3://bucket` with an optional folder behind it.
    pub location: String,
    /// Where the S3 interface answers: `https://host`, or with the bucket in it if `virtual_host`.
    /// Amazon's own if there is none.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: Option<String>,
    /// Whose requests they are.
    pub access_key: Option<String>,
    /// What they are signed with.
    pub secret_key: Option<Secret>,
    /// Whether the bucket stands in the host's name and not in the path, as Alibaba's OSS wants it.
    pub virtual_host: bool,
    /// Where everybody sees them, if it is not Menjin itself: a CDN, or the bucket. Without a slash
    /// at its end.
    pub public_url: Option<String>,
}

/// Pictures cannot lie there.
#[derive(Debug, thiserror::Error)]
pub enum PicturesError {
    /// Neither a folder nor a bucket.
    #[error("the place of pictures is file:///folder or s3://bucket, not `{0}`")]
    Location(String),
    /// A bucket without keys.
    #[error("a bucket needs an access key and a secret key")]
    Keys,
    /// The folder cannot be made or read.
    #[error("the folder {path} cannot be used")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The client for the bucket could not be made.
    #[error("the picture store cannot be set up: {0}")]
    Client(String),
}

/// The picture store did not do what it was asked to. Holds no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// It answered something else.
    #[error("the picture store failed: {0}")]
    Failed(String),
    /// It did not answer in time.
    #[error("the picture store did not answer in time")]
    TimedOut,
}

/// Where pictures lie. Cheap to clone; `Debug` shows no key.
#[derive(Clone)]
pub struct Pictures {
    store: Arc<dyn ObjectStore>,
    /// Stands before every name, with a slash, or is empty.
    folder: String,
    /// Whether what lies there is told apart by attributes: in a bucket, but not in a folder.
    attributes: bool,
    public_url: Option<String>,
    /// Never shown, wherever the store's words end up.
    access_key: Option<String>,
}

impl fmt::Debug for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pictures")
    }
}

impl Pictures {
    /// Makes the folder if it is not there, or the client for the bucket; that one is not asked yet.
    ///
    /// # Errors
    ///
    /// [`PicturesError`].
    pub fn open(options: PicturesOptions) -> Result<Self, PicturesError> {
        let wrong = || PicturesError::Location(options.location.clone());
        let public_url = options.public_url.clone();
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        if let Some(path) = options.location.strip_prefix("file://") {
            if !path.starts_with('/') {
                return Err(wrong());
            }
            return Ok(Self {
                store: Arc::new(folder(Path::new(path))?),
                folder: String::new(),
                attributes: false,
                public_url,
                access_key: None,
            });
        }
        let bucket = options.location.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, folder) = bucket.split_once('/').unwrap_or((bucket, ""));
        if bucket.is_empty() {
            return Err(wrong());
        }
        let folder = folder.trim_matches('/');
        Ok(Self {
            store: Arc::new(self::bucket(&options, bucket)?),
            folder: if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            },
            attributes: true,
            public_url,
            access_key: options.access_key,
        })
    }

    /// Where everybody sees pictures, if it is not Menjin itself.
    pub(super) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// Puts a picture there, over what was there.
    pub(super) async fn put(&self, name: &str, jpeg: Bytes) -> Result<(), PlaceError> {
        let key = self.key(name);
        let mut options = PutOptions::default();
        if self.attributes {
            options.attributes = Attributes::from_iter([
                (Attribute::ContentType, "image/jpeg"),
                (Attribute::CacheControl, super::CACHED),
            ]);
        }
        let put = self.store.put_opts(&key, jpeg.into(), options);
        self.ask(put).await.map(drop)
    }

    /// A picture; `None` if there is none of that name.
    pub(super) async fn get(&self, name: &str) -> Result<Option<Bytes>, PlaceError> {
        let key = self.key(name);
        let get = async {
            let found = self.store.get(&key).await?;
            if found.meta.size > MAX {
                return Ok(None);
            }
            Ok(Some(found.bytes().await?))
        };
        self.there(get).await
    }

    /// Whether there is a picture of that name.
    pub(super) async fn has(&self, name: &str) -> Result<bool, PlaceError> {
        let key = self.key(name);
        let head = async { Ok(Some(self.store.head(&key).await?)) };
        Ok(self.there(head).await?.is_some())
    }

    /// Takes a picture away, if it is there.
    pub(super) async fn delete(&self, name: &str) -> Result<(), PlaceError> {
        let key = self.key(name);
        let delete = async { Ok(Some(self.store.delete(&key).await?)) };
        self.there(delete).await.map(drop)
    }

    /// Writes something, reads it, and erases it, for whoever wants to know whether that works.
    ///
    /// # Errors
    ///
    /// In words, without a key.
    pub async fn try_out(&self) -> Result<(), String> {
        const NAME: &str = "menjin-doctor.txt";
        let probe = Bytes::from_static(b"written by menjin doctor");
        let tried = async {
            self.put(NAME, probe.clone()).await?;
            let read = self.get(NAME).await?;
            self.delete(NAME).await?;
            Ok::<_, PlaceError>(read)
        };
        match tried.await {
            Ok(read) if read.as_ref() == Some(&probe) => Ok(()),
            Ok(_) => Err("what was written does not come back".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn key(&self, name: &str) -> Key {
        Key::from(format!("{}{name}", self.folder))
    }

    async fn there<T>(
        &self,
        asked: impl Future<Output = Result<Option<T>, object_store::Error>>,
    ) -> Result<Option<T>, PlaceError> {
        let found = async {
            match asked.await {
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                other => other,
            }
        };
        self.ask(found).await
    }

    async fn ask<T>(
        &self,
        asked: impl Future<Output = Result<T, object_store::Error>>,
    ) -> Result<T, PlaceError> {
        match timeout(ALL, asked).await {
            Ok(answer) => answer.map_err(|error| self.failed(&error)),
            Err(_) => Err(PlaceError::TimedOut),
        }
    }

    /// What a store says of a failure, cut short, and without the key that some repeat.
    fn failed(&self, error: &object_store::Error) -> PlaceError {
        let mut words = error.to_string();
        if let Some(key) = self.access_key.as_deref().filter(|key| !key.is_empty()) {
            words = words.replace(key, "<access key>");
        }
        let printable = words.chars().filter(|c| !c.is_control());
        PlaceError::Failed(printable.take(600).collect())
    }
}

fn folder(path: &Path) -> Result<LocalFileSystem, PicturesError> {
    let broken = |source| PicturesError::Folder {
        path: path.to_owned(),
        source,
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(broken)?;
    let store = LocalFileSystem::new_with_prefix(path);
    let store = store.map_err(|error| broken(io::Error::other(error)))?;
    Ok(store.with_fsync(true))
}

fn bucket(options: &PicturesOptions, bucket: &str) -> Result<impl ObjectStore, PicturesError> {
    let (Some(key), Some(secret)) = (&options.access_key, &options.secret_key) else {
        return Err(PicturesError::Keys);
    };
    let plain = options.endpoint.as_deref();
    let plain = plain.is_some_and(|url| url.starts_with("http://"));
    // The bundled roots beside the machine's own, which need not be there.
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let roots = roots.filter_map(|root| Certificate::from_der(root).ok());
    let client = ClientOptions::new()
        .with_allow_http(plain)
        .with_connect_timeout(CONNECT)
        .with_timeout(REQUEST);
    let client = roots.fold(client, ClientOptions::with_root_certificate);
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: 2,
        retry_timeout: REQUEST,
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_access_key_id(key)
        .with_secret_access_key(secret.expose())
        .with_virtual_hosted_style_request(options.virtual_host)
        // One file at a time: not every store can delete several in one request.
        .with_disable_bulk_delete(true)
        .with_client_options(client)
        .with_retry(retry);
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    if let Some(region) = &options.region {
        builder = builder.with_region(region);
    }
    let built = builder.build();
    built.map_err(|error| PicturesError::Client(error.to_string()))
}
