use super::*;

fn at(hour: i64) -> Timestamp {
    "2026-11-22T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
}

fn item(moments: &[(&str, i64)], by: &[(&str, &str)]) -> Item {
    let moments = moments.iter().map(|(name, hour)| ((*name).to_owned(), time(at(*hour))));
    moments.chain(by.iter().map(|(name, by)| ((*name).to_owned(), text(*by)))).collect()
}

#[test]
fn items_of_an_older_version_apply_to_every_mapping() {
    let history = |all: &Item, mapping: &str| {
        let items = CartItems { all: Some(all), ..CartItems::default() };
        items.history(false, &MappingId::parse(mapping).unwrap()).unwrap()
    };
    let moments = [("newest", 3), ("first_left", 2), ("closed_at", 1), ("notified_at", 4)];
    let old = item(&moments, &[("notified_by", "m-0")]);
    let expected = CartHistory {
        newest: Some(at(3)),
        first: Some(at(2)),
        closed_at: Some(at(1)),
        ended_at: None,
        notified_at: Some(at(4)),
        notified_by: Some("m-0".to_owned()),
    };
    assert_eq!(history(&old, "one"), expected);
    assert_eq!(history(&old, "other"), expected);
    let new = item(&[("notified_at/one", 6)], &[("notified_by/one", "m-1")]);
    let both = old.into_iter().chain(new).collect();
    assert_eq!(history(&both, "other"), expected);
    let own = CartHistory { notified_at: Some(at(6)), notified_by: Some("m-1".to_owned()), ..expected };
    assert_eq!(history(&both, "one"), own);
}

#[test]
fn a_guests_history_covers_only_their_number_and_closings_of_all_carts() {
    let all = item(&[("newest", 9), ("closed_at", 8), ("closed_all_at", 2), ("notified_at", 7)], &[]);
    let of_number = item(&[("newest", 3), ("closed_at", 1)], &[]);
    let items = CartItems { all: Some(&all), of_number: Some(&of_number), ended: None };
    let mapping = MappingId::parse("one").unwrap();
    let expected = CartHistory { newest: Some(at(3)), closed_at: Some(at(2)), ..CartHistory::default() };
    assert_eq!(items.history(true, &mapping).unwrap(), expected);
    let known = items.history(false, &mapping).unwrap();
    assert_eq!((known.newest, known.closed_at, known.notified_at), (Some(at(9)), Some(at(8)), Some(at(7))));
}

#[test]
fn the_attribute_names_of_cart_notices_never_change() {
    let names = |notice: Notice| {
        let names = notice.names(&["#at #by #first_before #earlier_at #earlier_by"]);
        ["#at", "#by", "#first_before", "#earlier_at", "#earlier_by"].map(|name| names[name].clone())
    };
    let of_mapping = names(Notice::of(&MappingId::parse("m").unwrap()));
    assert_eq!(of_mapping, ["notified_at/m", "notified_by/m", "first_before/m", "told_before/m", "told_before_by/m"]);
    let of_any = names(Notice::of_any());
    assert_eq!(of_any, ["notified_at", "notified_by", "first_before", "told_before", "told_before_by"]);
    assert!(Notice::of_any().names(&["#by = :message"]).keys().eq(["#by"]));
}
