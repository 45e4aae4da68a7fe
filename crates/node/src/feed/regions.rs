//! Where regions are: those of AWS, and the operator's own out of the tables.

use meridian_atlas::{Point, Regions};
use meridian_log::ReadError;
use meridian_model::State;

/// All regions that record sets may name. One whose place this version cannot read is nowhere.
pub(crate) fn read<S: State<Error = ReadError>>(state: &S) -> Result<Regions, ReadError> {
    let mut regions = Regions::default();
    for own in state.own_regions()? {
        let at = own.degrees().and_then(|(latitude, longitude)| {
            // Two decimals are within what a float of half the width tells.
            Point::new(latitude as f32, longitude as f32)
        });
        if let Some(at) = at {
            regions.add(own.name.as_str(), at);
        }
    }
    Ok(regions)
}
