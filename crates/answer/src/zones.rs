//! Zones that are looked for together: a directory, and the depths at which apexes lie. Who sees
//! them is not decided here.

use std::sync::Arc;

use meridian_dns::Name;
use meridian_model::Generation;

use crate::depths::Depths;
use crate::directory::Directory;
use crate::image::ZoneImage;

/// Zones by apex. A change makes new ones that share all they can with the old.
#[derive(Debug, Clone)]
pub(crate) struct Zones {
    pub(crate) directory: Directory,
    /// How many labels apexes have.
    pub(crate) apex_depths: Depths,
    apex_counts: Box<[u32; 128]>,
}

impl Zones {
    pub(crate) fn build(zones: Vec<Arc<ZoneImage>>) -> Self {
        let mut apex_counts = Box::new([0; 128]);
        for zone in &zones {
            apex_counts[usize::from(zone.apex_labels)] += 1;
        }
        Self {
            apex_depths: depths(&apex_counts),
            directory: Directory::build(zones),
            apex_counts,
        }
    }

    /// The image of a zone whose apex has this hash.
    pub(crate) fn image(
        &self,
        hash: u64,
        apex: &Name,
        generation: Generation,
    ) -> Option<&ZoneImage> {
        self.directory.image(hash, apex, generation)
    }

    /// The next zones: some taken out, others put in or changed. None is in both.
    pub(crate) fn changed(&self, out: &[&ZoneImage], put: &[Arc<ZoneImage>]) -> Self {
        let mut apex_counts = self.apex_counts.clone();
        let known = |zone: &ZoneImage| {
            let meta = &zone.meta;
            self.image(zone.hash, &meta.apex, meta.generation).is_some()
        };
        for zone in put {
            apex_counts[usize::from(zone.apex_labels)] += u32::from(!known(zone));
        }
        for zone in out {
            apex_counts[usize::from(zone.apex_labels)] -= u32::from(known(zone));
        }
        Self {
            directory: self.directory.changed(out, put),
            apex_depths: depths(&apex_counts),
            apex_counts,
        }
    }
}

fn depths(counts: &[u32; 128]) -> Depths {
    let counted = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    counted.map(|(depth, _)| depth).collect()
}
