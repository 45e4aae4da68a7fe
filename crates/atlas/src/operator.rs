//! Who runs the networks that addresses are in: told to people, and to those who make latency maps. No
//! query asks for it.

use crate::runs::Run;

/// A provider, a company, a university.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Operator {
    /// Its autonomous system.
    pub asn: Option<u32>,
    /// What it calls itself.
    pub name: Option<Box<str>>,
}

/// The operators of all addresses; of none, where no source knows any.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    /// The first stands for nobody.
    pub(crate) all: Box<[Operator]>,
    pub(crate) v4: Box<[Run]>,
    pub(crate) v6: Box<[Run]>,
}

impl Operators {
    /// Of the address in these runs, at the upper end of 128 bits.
    pub(crate) fn find(&self, runs: &[Run], address: u128) -> Option<&Operator> {
        let behind = runs.partition_point(|run| run.first <= address);
        let number = runs.get(behind.checked_sub(1)?)?.record;
        let operator = self.all.get(usize::try_from(number).ok()?)?;
        (*operator != Operator::default()).then_some(operator)
    }

    /// Who it is from where on in these runs.
    pub(crate) fn ranges<'a>(
        &'a self,
        runs: &'a [Run],
    ) -> impl Iterator<Item = (u128, Option<&'a Operator>)> {
        runs.iter()
            .map(|run| (run.first, self.find(runs, run.first)))
    }

    /// Of memory, but for the names.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.all) + size_of_val(&*self.v4) + size_of_val(&*self.v6)
    }
}
