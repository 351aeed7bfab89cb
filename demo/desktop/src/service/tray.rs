//! The icon in the tray, and its menu (StatusNotifierItem). It has threads of its own, and the service goes on without it:
//! where there is no session bus or nothing that shows icons.

use std::{sync::mpsc as channel, thread};

use ksni::{
    Category, Icon, MenuItem, Status, ToolTip, Tray,
    blocking::{Handle, TrayMethods},
    menu::StandardItem,
};
use tokio::sync::mpsc;

use super::{desk::Order, state::State};

/// The icon's name in the theme, and in the desktop's entry.
const ICON: &str = "hybridge";
/// Pixels of the picture for desktops that do not find the icon, in both directions.
const SIDE: i32 = 24;

/// What the tray shows.
struct Item {
    state: State,
    orders: mpsc::UnboundedSender<Order>,
}

/// Shows the states that come, until the sender is gone. Returns at once: the tray appears when a desktop shows it.
pub(crate) fn start(orders: mpsc::UnboundedSender<Order>) -> channel::Sender<State> {
    let (tell, states) = channel::channel();
    thread::spawn(move || {
        // A tray that begins later, as at login, is waited for.
        let tray = Item { state: State::Starting, orders }.assume_sni_available(true).spawn();
        if let Ok(tray) = tray {
            show(&tray, &states);
        }
    });
    tell
}

fn show(tray: &Handle<Item>, states: &channel::Receiver<State>) {
    while let Ok(state) = states.recv() {
        if tray.update(|item| item.state = state).is_none() {
            return;
        }
    }
    tray.shutdown().wait();
}

impl Item {
    fn entry(&self, label: &str, enabled: bool, order: Order) -> MenuItem<Self> {
        let activate = Box::new(move |item: &mut Self| {
            // Fails only when the service is about to end.
            let _ = item.orders.send(order);
        });
        StandardItem { label: label.to_owned(), enabled, activate, ..Default::default() }.into()
    }
}

impl Tray for Item {
    const MENU_ON_ACTIVATE: bool = true;

    fn id(&self) -> String {
        "hybridge-desktop".to_owned()
    }

    fn category(&self) -> Category {
        Category::SystemServices
    }

    fn title(&self) -> String {
        "Hybridge".to_owned()
    }

    fn status(&self) -> Status {
        if self.state.is_trouble() { Status::NeedsAttention } else { Status::Active }
    }

    fn icon_name(&self) -> String {
        ICON.to_owned()
    }

    fn attention_icon_name(&self) -> String {
        ICON.to_owned()
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        vec![picture()]
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip { title: "Hybridge".to_owned(), description: self.state.line(), ..Default::default() }
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let paused = self.state == State::Paused;
        // A single underscore would mark the key of the entry.
        let label = self.state.line().replace('_', "__");
        let pause = match paused {
            true => self.entry("Resume", true, Order::Resume),
            false => self.entry("Pause", true, Order::Pause),
        };
        vec![
            StandardItem { label, enabled: false, ..Default::default() }.into(),
            MenuItem::Separator,
            self.entry("Turn on Bluetooth", !paused, Order::BluetoothOn),
            pause,
            self.entry("Quit", true, Order::Quit),
        ]
    }
}

/// A phone on a blue ground, as ARGB.
fn picture() -> Icon {
    const GROUND: [u8; 4] = [255, 0x1f, 0x4e, 0x79];
    const PAPER: [u8; 4] = [255; 4];
    let pixel = |place: i32| {
        let (x, y) = (place % SIDE, place / SIDE);
        let within = |left, right, top, bottom| (left..right).contains(&x) && (top..bottom).contains(&y);
        if within(7, 17, 3, 21) && !within(9, 15, 5, 17) { PAPER } else { GROUND }
    };
    let data = (0..SIDE.saturating_mul(SIDE)).flat_map(pixel).collect();
    Icon { width: SIDE, height: SIDE, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(state: State) -> Vec<(String, bool)> {
        let (orders, _) = mpsc::unbounded_channel();
        let entries = Item { state, orders }.menu().into_iter().filter_map(|entry| match entry {
            MenuItem::Standard(StandardItem { label, enabled, .. }) => Some((label, enabled)),
            _ => None,
        });
        entries.collect()
    }

    #[test]
    fn the_menu_says_how_it_stands_and_what_can_be_done() {
        let ready = labels(State::Ready);
        assert_eq!(ready[0], ("Ready: programs see a security key".to_owned(), false));
        let entries: Vec<_> = ready[1..].iter().map(|(label, enabled)| (label.as_str(), *enabled)).collect();
        assert_eq!(entries, [("Turn on Bluetooth", true), ("Pause", true), ("Quit", true)]);
        let paused = labels(State::Paused);
        assert_eq!(paused[1..3], [("Turn on Bluetooth".to_owned(), false), ("Resume".to_owned(), true)]);
        assert_eq!(labels(State::NoKey("a_b".to_owned()))[0].0, "No security key: a__b");
    }

    #[test]
    fn entries_are_orders() {
        let (tell, mut orders) = mpsc::unbounded_channel();
        let mut item = Item { state: State::Ready, orders: tell };
        for entry in item.menu() {
            if let MenuItem::Standard(StandardItem { enabled: true, activate, .. }) = entry {
                activate(&mut item);
            }
        }
        for expected in [Order::BluetoothOn, Order::Pause, Order::Quit] {
            assert_eq!(orders.try_recv(), Ok(expected));
        }
    }

    #[test]
    fn the_picture_is_one() {
        let Icon { width, height, data } = picture();
        assert_eq!((width, height, data.len()), (SIDE, SIDE, 24 * 24 * 4));
        assert!(data.contains(&0x4e), "it is not blank");
    }
}
