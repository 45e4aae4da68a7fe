//! How long it takes where nobody has measured: by distance, and by how much longer than light in
//! fibre it takes from the regions near a client, where that was measured.
//!
//! Estimates are good for the order of regions and little else: see docs/LATENCY.md.

use meridian_atlas::{Direction, MapRegion};

use crate::matrix::Matrix;
use crate::spots::{KM_PER_MS, Spots};

/// From the client to the first router that deserves the name, and back.
const ACCESS_MS: f64 = 5.0;
/// How many times as long as light in fibre it takes, where nothing is measured at all,
const PLAIN: f64 = 1.75;
/// and where other pairs are, but this one is not.
const UNMEASURED: f64 = 2.0;
/// What a measured pair may come to.
const LEAST: f64 = 1.15;
const MOST: f64 = 4.0;
/// Of regions as near to each other as this, the pair says more about access than about the way.
const NEAR_KM: f64 = 300.0;
/// The regions around a client that speak for it.
const ANCHORS: usize = 3;

/// Estimates for all regions of a map.
#[derive(Debug)]
pub(crate) struct Model {
    regions: Vec<Direction>,
    /// The regions that something was measured from, with how many times as long as light it takes
    /// from there to each.
    anchors: Vec<(Direction, Vec<f64>)>,
}

impl Model {
    pub(crate) fn new(regions: &[MapRegion], matrix: &Matrix) -> Self {
        let directions: Vec<Direction> = regions
            .iter()
            .map(|region| region.point.direction())
            .collect();
        let stretch = |(from, here): (&MapRegion, &Direction),
                       (to, there): (&MapRegion, &Direction)| {
            let km = here.distance_km(*there);
            let ms = matrix.ms(&from.name, &to.name).filter(|_| km >= NEAR_KM);
            ms.map(|ms| (f64::from(ms) / (km / KM_PER_MS)).clamp(LEAST, MOST))
        };
        let all = || regions.iter().zip(&directions);
        let anchors = all().filter_map(|here| {
            let row: Vec<Option<f64>> = all().map(|there| stretch(here, there)).collect();
            row.iter().any(Option::is_some).then(|| {
                let row = row.into_iter().map(|known| known.unwrap_or(UNMEASURED));
                (*here.1, row.collect())
            })
        });
        Self {
            anchors: anchors.collect(),
            regions: directions,
        }
    }

    /// How long it takes from a place to each region and back, in ms.
    pub(crate) fn estimates(&self, spots: &Spots) -> Vec<f32> {
        let mut all = vec![0.0; self.regions.len()];
        for (spot, share) in &spots.points {
            let stretch = self.stretch(*spot);
            for ((estimate, region), stretch) in all.iter_mut().zip(&self.regions).zip(stretch) {
                let floor = spot.distance_km(*region) / KM_PER_MS;
                #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
                let ms = (ACCESS_MS + floor * stretch) as f32;
                *estimate += ms * share;
            }
        }
        all
    }

    /// How many times as long as light it takes from a point to each region: what the nearest
    /// regions say, the nearer the more.
    fn stretch(&self, spot: Direction) -> Vec<f64> {
        let mut nearest: Vec<(f64, &[f64])> = self
            .anchors
            .iter()
            .map(|(anchor, row)| (spot.distance_km(*anchor), row.as_slice()))
            .collect();
        nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
        nearest.truncate(ANCHORS);
        if nearest.is_empty() {
            return vec![PLAIN; self.regions.len()];
        }
        let mut all = vec![0.0; self.regions.len()];
        let mut weights = 0.0;
        for (km, row) in nearest {
            let weight = 1.0 / (km + 100.0);
            weights += weight;
            for (sum, stretch) in all.iter_mut().zip(row) {
                *sum += stretch * weight;
            }
        }
        all.iter_mut().for_each(|sum| *sum /= weights);
        all
    }
}

#[cfg(test)]
mod tests {
    use meridian_atlas::{Country, Place, Point, Regions};

    use super::*;

    fn regions(names: &[&str]) -> Vec<MapRegion> {
        let known = Regions::default();
        let region = |name: &&str| MapRegion {
            name: (*name).into(),
            point: known.point(name).unwrap(),
        };
        names.iter().map(region).collect()
    }

    fn city(latitude: f32, longitude: f32) -> Spots {
        let place = Place {
            point: Point::new(latitude, longitude),
            ..Place::UNKNOWN
        };
        Spots::of(&place).unwrap()
    }

    #[test]
    fn without_a_matrix_it_goes_by_distance_alone() {
        let regions = regions(&["eu-central-1", "us-east-1"]);
        let model = Model::new(&regions, &Matrix::default());
        let estimates = model.estimates(&city(52.5, 13.4));
        let expected = |km: f32| 5.0 + 1.75 * km / 100.0;
        assert!((estimates.first().unwrap() - expected(423.0)).abs() < 1.0);
        assert!((estimates.get(1).unwrap() - expected(6720.0)).abs() < 2.0);
    }

    #[test]
    fn a_way_around_is_told_by_the_regions_near_the_client() {
        // Cape Town is as far as the crow flies, but cables go around.
        let regions = regions(&["af-south-1", "eu-west-1", "sa-east-1", "us-east-1"]);
        let mut matrix = Matrix::default();
        for (from, to, ms) in [
            ("sa-east-1", "af-south-1", 340.0),
            ("sa-east-1", "us-east-1", 115.0),
            ("sa-east-1", "eu-west-1", 180.0),
        ] {
            matrix.insert(from, to, ms).unwrap();
        }
        let rio = city(-22.9, -43.2);
        let fastest_but_one = |matrix: &Matrix| {
            let estimates = Model::new(&regions, matrix).estimates(&rio);
            let mut order: Vec<_> = estimates.into_iter().zip(&regions).collect();
            order.sort_by(|a, b| a.0.total_cmp(&b.0));
            order.get(1).map(|(_, region)| region.name.clone()).unwrap()
        };
        assert_eq!(&*fastest_but_one(&Matrix::default()), "af-south-1");
        assert_eq!(&*fastest_but_one(&matrix), "us-east-1");
    }

    #[test]
    fn clients_of_a_large_country_are_in_several_places() {
        let regions = regions(&["us-east-1", "us-west-2"]);
        let model = Model::new(&regions, &Matrix::default());
        let country = Place::in_country(Country::new("US").unwrap()).completed();
        let estimates = model.estimates(&Spots::of(&country).unwrap());
        let east = *estimates.first().unwrap();
        assert!((20.0..35.0).contains(&east), "{east}");
        assert!(east < *estimates.get(1).unwrap());
    }

    #[test]
    fn mad_matrices_are_taken_for_no_more_than_they_may_be() {
        let regions = regions(&["eu-west-1", "us-east-1"]);
        let mut matrix = Matrix::default();
        matrix.insert("eu-west-1", "us-east-1", 2000.0).unwrap();
        let model = Model::new(&regions, &matrix);
        let estimates = model.estimates(&city(53.35, -6.26));
        let far = *estimates.get(1).unwrap();
        assert!((150.0..230.0).contains(&far), "{far}");
    }
}
