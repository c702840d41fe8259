//! To PostgreSQL: the result's rows become a table's.

use mlpipeline_crds::TableLocation;

use super::Product;
use crate::WorkContext;
use crate::credentials::Credentials;
use crate::engine::query_error;
use crate::failure::StepError;
use crate::stores::{StoreError, postgres, within};
use crate::table::{LocalFile, written};

/// Replaces the table's rows.
pub(super) async fn deliver(
    uri: &str,
    product: &Product,
    credentials: &Credentials,
    context: &WorkContext,
) -> Result<(), StepError> {
    let location = TableLocation::parse(uri).map_err(StoreError::location("postgres"))?;
    let file = LocalFile::own(product.path.clone(), "the result".to_owned());
    let table =
        written(file, product.format, product.columns.clone(), &context.read_ahead(), &context.cancellation)?;
    let rows = context.session().read_table(table).map_err(|error| query_error(&error))?;
    let rows = rows.execute_stream().await.map_err(|error| query_error(&error))?;
    let bar = context.progress.rows("deliver");
    let loading = postgres::replace(&location, rows, credentials, &context.network);
    let loaded = within(context.network.fetch_timeout, uri, loading).await?;
    bar.add(loaded);
    Ok(())
}
