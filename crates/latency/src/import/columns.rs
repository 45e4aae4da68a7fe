//! Lines of values between commas, and which value is what.

use std::borrow::Cow;

use super::Wrong;

/// Which column has what, by a first line that names them or in the order of their names.
#[derive(Debug, Clone)]
pub(super) struct Columns<const N: usize> {
    names: [&'static str; N],
    /// Where each stands, once that is known.
    places: Option<[Option<usize>; N]>,
}

impl<const N: usize> Columns<N> {
    pub(super) const fn new(names: [&'static str; N]) -> Self {
        Self {
            names,
            places: None,
        }
    }

    /// The values of a line in the order of the names; none for a first line that names them. The
    /// first so many columns have to be there.
    pub(super) fn read<'a>(
        &mut self,
        line: &'a str,
        required: usize,
    ) -> Result<Option<[Option<Cow<'a, str>>; N]>, Wrong> {
        let mut values = split(line)?;
        let Some(places) = self.places else {
            let place = |name: &&str| {
                let mut values = values.iter();
                values.position(|value| value.eq_ignore_ascii_case(name))
            };
            let named = self.names.each_ref().map(place);
            if named.iter().all(Option::is_none) && !are_names(&values) {
                self.places = Some(std::array::from_fn(Some));
                return self.read(line, required);
            }
            let absent = self.names.iter().zip(&named).take(required);
            if let Some((name, _)) = absent.into_iter().find(|(_, place)| place.is_none()) {
                return Err(Wrong::NoColumn(name));
            }
            self.places = Some(named);
            return Ok(None);
        };
        let mut take = |place: Option<usize>| {
            let value = std::mem::take(values.get_mut(place?)?);
            (!value.is_empty()).then_some(value)
        };
        Ok(Some(places.map(&mut take)))
    }
}

/// Whether a line says what columns there are, by whatever names: it has no number. Taken for a row, it
/// would have others read as if their columns stood in our order.
fn are_names(values: &[Cow<'_, str>]) -> bool {
    let is_name = |value: &Cow<'_, str>| value.starts_with(|first: char| first.is_alphabetic());
    values.len() > 1 && values.iter().all(is_name)
}

/// The values of a line. One in quotation marks may have commas in it, and two of these marks for
/// one.
pub(super) fn split(line: &str) -> Result<Vec<Cow<'_, str>>, Wrong> {
    if line.contains('\r') {
        // Behind it another row stands, which would be passed over.
        return Err(Wrong::CrWithin);
    }
    if !line.contains('"') {
        let values = line.split(',').map(|value| Cow::Borrowed(value.trim()));
        return Ok(values.collect());
    }
    let mut values = Vec::new();
    let mut rest = line;
    // Ends with the line: each round takes a value and the comma behind it.
    loop {
        let (value, behind) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => match rest.split_once(',') {
                Some((value, behind)) => (Cow::Borrowed(value.trim()), Some(behind)),
                None => (Cow::Borrowed(rest.trim()), None),
            },
        };
        values.push(value);
        match behind {
            Some(behind) => rest = behind,
            None => return Ok(values),
        }
    }
}

/// The value before the closing mark, and what is behind the comma after it.
fn unquote(text: &str) -> Result<(Cow<'_, str>, Option<&str>), Wrong> {
    let mut value = String::new();
    let mut rest = text;
    // Ends with the line.
    loop {
        let (before, after) = rest.split_once('"').ok_or(Wrong::OpenQuote)?;
        value.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => {
                let behind = after.split_once(',').map(|(_, behind)| behind);
                return Ok((Cow::Owned(value), behind));
            }
        }
    }
}
