//! How the cells of one unit are written: a version, then each group with its cell.

use super::super::ReadError;
use super::super::cells::{Cell, Group, Groups};

/// Written first, so that another form can be told apart one day.
const VERSION: u8 = 1;

/// The cells as bytes; the same cells are always the same bytes.
pub(super) fn encode(groups: &Groups) -> Result<Vec<u8>, ReadError> {
    let mut sorted: Vec<(&Group, &Cell)> = groups.iter().collect();
    sorted.sort_unstable_by_key(|(group, _)| *group);
    postcard::to_extend(&sorted, vec![VERSION]).map_err(damaged)
}

/// The cells in bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<(Group, Cell)>, ReadError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(damaged),
        _ => Err(ReadError::Damaged(
            "a roll-up of an unknown form".to_owned(),
        )),
    }
}

fn damaged(error: postcard::Error) -> ReadError {
    ReadError::Damaged(format!("a roll-up: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_back_and_damage_is_noticed() {
        let groups: Groups = [
            (Group::ALL, Cell::default()),
            (Group(Some("Lyon".into())), Cell::default()),
        ]
        .into();
        let bytes = encode(&groups).unwrap();
        let names: Vec<_> = decode(&bytes)
            .unwrap()
            .into_iter()
            .map(|(group, _)| group)
            .collect();
        assert_eq!(names, [Group::ALL, Group(Some("Lyon".into()))]);
        for damaged in [&bytes[..bytes.len() - 1], &[], &[9, 9]] {
            assert!(decode(damaged).is_err());
        }
    }
}
