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

    /// How many times as long as light in fibre it takes.
    fn stretch(ms: f64, km: f64) -> f64 {
        ms / (km / 100.0)
    }

    #[test]
    fn the_three_nearest_regions_speak_for_a_client_the_nearer_the_more() {
        let names = [
            "ap-northeast-1",
            "eu-central-1",
            "eu-south-1",
            "eu-west-2",
            "us-east-1",
        ];
        let (regions, known) = (regions(&names), Regions::default());
        let to = known.point("us-east-1").unwrap();
        let mut matrix = Matrix::default();
        // The last is far from the client, and is not asked.
        let measured = [
            ("eu-central-1", 92.0),
            ("eu-south-1", 100.0),
            ("eu-west-2", 76.0),
            ("ap-northeast-1", 400.0),
        ];
        for (from, ms) in measured {
            matrix.insert(from, "us-east-1", ms).unwrap();
        }
        let berlin = Point::new(52.5, 13.4).unwrap();
        let mut sums = (0.0, 0.0);
        for (from, ms) in &measured[..3] {
            let from = known.point(from).unwrap();
            let weight = 1.0 / (berlin.distance_km(from) + 100.0);
            sums.0 += weight * stretch(f64::from(*ms), from.distance_km(to));
            sums.1 += weight;
        }
        let expected = 5.0 + berlin.distance_km(to) / 100.0 * sums.0 / sums.1;
        let estimates = Model::new(&regions, &matrix).estimates(&city(52.5, 13.4));
        let found = f64::from(*estimates.last().unwrap());
        assert!((found - expected).abs() < 0.01, "{found} {expected}");
        // To regions that none of them was measured to it takes twice as long as light.
        let tokyo = known.point("ap-northeast-1").unwrap();
        let expected = 5.0 + 2.0 * berlin.distance_km(tokyo) / 100.0;
        let found = f64::from(*estimates.first().unwrap());
        assert!((found - expected).abs() < 0.01, "{found} {expected}");
    }

    /// A client beside a region, with one more measured from there: how many times as long as light
    /// it is said to take to that one.
    #[test]
    fn what_is_measured_of_a_pair_counts_within_bounds_and_where_it_is_far() {
        for (to, ms, times) in [
            // As it is.
            ("eu-west-2", Some(100.0), None),
            // Faster than any cable, and slower.
            ("eu-west-2", Some(20.0), Some(1.15)),
            ("eu-west-2", Some(900.0), Some(4.0)),
            // Nothing of this one, but of another.
            ("eu-west-2", None, Some(2.0)),
            // Philadelphia is too near for its round trips to say anything of the way.
            ("us-east-1-phl-1", Some(3.0), Some(2.0)),
            // The region itself.
            ("us-east-1", None, Some(2.0)),
        ] {
            let regions = regions(&["us-east-1", "us-west-2", to]);
            let here = regions.first().unwrap().point;
            let mut matrix = Matrix::default();
            matrix.insert("us-east-1", "us-west-2", 65.0).unwrap();
            if let Some(ms) = ms {
                matrix.insert("us-east-1", to, ms).unwrap();
            }
            let model = Model::new(&regions, &matrix);
            // At the region: the others are so far that they hardly count.
            let found = *model.stretch(here.direction()).last().unwrap();
            let km = here.distance_km(regions.last().unwrap().point);
            let own = times.unwrap_or_else(|| stretch(f64::from(ms.unwrap()), km));
            assert!((found - own).abs() < 0.1, "{to} {ms:?}: {found} {own}");
        }
    }

    #[test]
    fn what_is_said_of_a_large_country_is_the_average_of_where_its_people_live() {
        let regions = regions(&["ap-southeast-2", "us-east-1", "us-west-2"]);
        let model = Model::new(&regions, &Matrix::default());
        for code in ["AU", "BR", "CA", "RU", "US"] {
            let country = Place::in_country(Country::new(code).unwrap()).completed();
            let spots = Spots::of(&country).unwrap();
            let found = model.estimates(&spots);
            for (region, found) in regions.iter().zip(&found) {
                let there = region.point.direction();
                let each = spots.points.iter().map(|(spot, share)| {
                    f64::from(*share) * (5.0 + 1.75 * spot.distance_km(there) / 100.0)
                });
                let expected: f64 = each.sum();
                let found = f64::from(*found);
                assert!(
                    (found - expected).abs() < 0.05,
                    "{code}: {found} {expected}"
                );
            }
            // Nobody lives in the middle alone.
            let middle = Spots::of(&Place {
                point: country
                    .point
                    .and_then(|point| Point::new(point.latitude() + 0.01, point.longitude())),
                ..country
            });
            let middle = model.estimates(&middle.unwrap());
            let nearest = |all: &[f32]| all.iter().copied().fold(f32::MAX, f32::min);
            assert!((nearest(&found) - nearest(&middle)).abs() > 0.5, "{code}");
        }
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
