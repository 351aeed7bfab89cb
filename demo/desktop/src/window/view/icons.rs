//! What is drawn into a [`Pen`]'s square.

use super::pen::Pen;

/// A picture of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A code.
    Code,
    /// A phone.
    Phone,
    /// A phone that sends.
    PhoneNear,
    /// A phone that asks.
    PhoneAsks,
    /// A computer and a phone.
    Linked,
    /// A tick.
    Tick,
    /// A cross.
    Cross,
    /// An exclamation mark.
    Mark,
    /// A closed lock.
    Lock,
    /// A key.
    Key,
    /// The rune of Bluetooth.
    Rune,
    /// The rune of Bluetooth, struck out.
    RuneOff,
    /// A cloud.
    Cloud,
    /// A clock.
    Clock,
    /// A shield.
    Shield,
    /// Three dots.
    Dots,
}

pub(super) fn draw(pen: &Pen<'_>, icon: Icon) {
    match icon {
        Icon::Code => code(pen),
        Icon::Phone => phone(pen),
        Icon::PhoneNear => near(pen),
        Icon::PhoneAsks => asks(pen),
        Icon::Linked => linked(pen),
        Icon::Tick => pen.line(&[(20.0, 54.0), (41.0, 74.0), (80.0, 28.0)]),
        Icon::Cross => {
            pen.line(&[(24.0, 24.0), (76.0, 76.0)]);
            pen.line(&[(76.0, 24.0), (24.0, 76.0)]);
        }
        Icon::Mark => {
            pen.line(&[(50.0, 18.0), (50.0, 58.0)]);
            pen.disc((50.0, 80.0), pen.width * 0.72);
        }
        Icon::Lock => lock(pen),
        Icon::Key => key(pen),
        Icon::Rune => rune(pen),
        Icon::RuneOff => {
            rune(pen);
            pen.line(&[(14.0, 16.0), (86.0, 84.0)]);
        }
        Icon::Cloud => cloud(pen),
        Icon::Clock => {
            pen.ring((50.0, 50.0), 38.0);
            pen.line(&[(50.0, 26.0), (50.0, 52.0), (66.0, 62.0)]);
        }
        Icon::Shield => shield(pen),
        Icon::Dots => [22.0, 50.0, 78.0].into_iter().for_each(|x| pen.disc((x, 50.0), 8.0)),
    }
}

fn code(pen: &Pen<'_>) {
    for corner in [(12.0, 12.0), (58.0, 12.0), (12.0, 58.0)] {
        pen.frame(corner, (corner.0 + 30.0, corner.1 + 30.0), 4.0);
        pen.block((corner.0 + 10.0, corner.1 + 10.0), (corner.0 + 20.0, corner.1 + 20.0), 1.0);
    }
    for spot in [(56.0, 56.0), (78.0, 56.0), (67.0, 67.0), (56.0, 78.0), (78.0, 78.0)] {
        pen.block(spot, (spot.0 + 11.0, spot.1 + 11.0), 1.0);
    }
}

fn phone(pen: &Pen<'_>) {
    pen.frame((27.0, 6.0), (73.0, 94.0), 10.0);
    pen.line(&[(44.0, 81.0), (56.0, 81.0)]);
}

fn near(pen: &Pen<'_>) {
    pen.frame((34.0, 14.0), (66.0, 86.0), 8.0);
    pen.line(&[(46.0, 74.0), (54.0, 74.0)]);
    for (radius, reach) in [(32.0, 0.085), (46.0, 0.1)] {
        pen.arc((50.0, 50.0), radius, -reach, reach);
        pen.arc((50.0, 50.0), radius, 0.5 - reach, 0.5 + reach);
    }
}

fn asks(pen: &Pen<'_>) {
    phone(pen);
    pen.line(&[(38.0, 44.0), (47.0, 53.0), (63.0, 33.0)]);
}

fn linked(pen: &Pen<'_>) {
    pen.frame((8.0, 24.0), (52.0, 56.0), 5.0);
    pen.line(&[(2.0, 70.0), (58.0, 70.0)]);
    pen.frame((72.0, 24.0), (98.0, 76.0), 6.0);
    pen.disc((62.0, 40.0), pen.width * 0.55);
}

fn lock(pen: &Pen<'_>) {
    pen.block((20.0, 44.0), (80.0, 88.0), 8.0);
    pen.arc((50.0, 42.0), 20.0, 0.5, 1.0);
}

fn key(pen: &Pen<'_>) {
    pen.ring((28.0, 50.0), 19.0);
    pen.line(&[(47.0, 50.0), (94.0, 50.0), (94.0, 66.0)]);
    pen.line(&[(76.0, 50.0), (76.0, 62.0)]);
}

fn rune(pen: &Pen<'_>) {
    pen.line(&[(27.0, 29.0), (73.0, 71.0), (50.0, 92.0), (50.0, 8.0), (73.0, 29.0), (27.0, 71.0)]);
}

fn cloud(pen: &Pen<'_>) {
    pen.arc((28.0, 60.0), 20.0, 0.25, 0.72);
    pen.arc((50.0, 42.0), 24.0, 0.52, 0.96);
    pen.arc((76.0, 60.0), 20.0, -0.27, 0.25);
    pen.line(&[(28.0, 80.0), (76.0, 80.0)]);
}

fn shield(pen: &Pen<'_>) {
    let side = [(50.0, 8.0), (84.0, 20.0), (83.0, 50.0), (72.0, 76.0), (50.0, 93.0)];
    let mirrored = side.map(|(x, y)| (100.0 - x, y));
    pen.line(&side);
    pen.line(&mirrored);
}
