//! What a score step needs: rows that can be read, and a place that its predictions can go to.

use mlpipeline_crds::{PodSettings, Score};

use super::actions::Checked;
use super::errors::Errors;
use super::{data, output};

impl Checked for Score {
    fn check(&self, _: &PodSettings, path: &str, errors: &mut Errors) {
        data::check(&self.input, &format!("{path}.input"), errors);
        output::check(self.output.as_ref(), &format!("{path}.output"), errors);
    }
}
