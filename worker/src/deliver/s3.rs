//! To S3: the result's file becomes an object.

use mlpipeline_crds::ObjectLocation;

use super::Product;
use crate::WorkContext;
use crate::credentials::Credentials;
use crate::failure::StepError;
use crate::stores::StoreError;
use crate::stores::s3::Bucket;

/// Replaces the object; one whose key ends with a slash is called `data` in that folder, with the format's extension.
pub(super) async fn deliver(
    uri: &str,
    product: &Product,
    credentials: &Credentials,
    context: &WorkContext,
) -> Result<(), StepError> {
    let location = ObjectLocation::parse(uri).map_err(StoreError::location("s3"))?;
    let mut key = location.key;
    if key.contains('*') {
        let place = format!("s3://{}/{key}", location.bucket);
        return Err(
            StoreError::Spec { place, problem: "one object is written: name it without *".into() }.into()
        );
    }
    if key.ends_with('/') {
        key = format!("{key}data.{}", product.format.extension());
    }
    let bucket = Bucket::new(&location.bucket, credentials, &context.network)?;
    bucket.put(&key, &product.path, context.progress).await
}
