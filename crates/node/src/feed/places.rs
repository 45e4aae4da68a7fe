//! Who is where: the countries that come with the program, made into an atlas once for each
//! process.

use std::sync::{Arc, OnceLock};

use meridian_atlas::{Atlas, countries};

/// The file of countries; see `data/geo/README.md`.
const COUNTRIES: &[u8] = include_bytes!("../../../../data/geo/countries");

/// The atlas of the countries that come with the program.
pub(super) fn built_in() -> Arc<Atlas> {
    static ATLAS: OnceLock<Arc<Atlas>> = OnceLock::new();
    let atlas = ATLAS.get_or_init(|| match read() {
        Ok(atlas) => Arc::new(atlas),
        Err(error) => {
            tracing::error!(%error, "the countries that come with the program cannot be read: {error}");
            Arc::default()
        }
    });
    Arc::clone(atlas)
}

fn read() -> anyhow::Result<Atlas> {
    Ok(Atlas::new(vec![countries::read(COUNTRIES)?])?)
}
