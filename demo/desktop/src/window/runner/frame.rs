//! A window, its surface and its accessible tree.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use egui::{Context, FullOutput, Theme, ThemePreference, Vec2, ViewportId};
use egui_winit::State;
use softbuffer::Surface;
use winit::{
    dpi::LogicalSize,
    event::WindowEvent,
    event_loop::{ActiveEventLoop, EventLoopProxy, OwnedDisplayHandle},
    platform::{
        startup_notify::{EventLoopExtStartupNotify, WindowAttributesExtStartupNotify},
        wayland::WindowAttributesExtWayland,
        x11::{WindowAttributesExtX11, WindowType},
    },
    window::{Window, WindowAttributes, WindowId},
};

use super::{app::Told, error::WindowError};
use crate::window::{paint::Canvas, view::theme};

/// What the window system knows the program by; the desktop entry has the same name.
const APP_ID: &str = "hybridge-desktop";
const TITLE: &str = "Use your phone";

/// A window.
pub(super) struct Frame {
    // Dropped in this order: what draws on the window goes before it.
    surface: Surface<OwnedDisplayHandle, Arc<Window>>,
    state: State,
    window: Arc<Window>,
    canvas: Canvas,
    ctx: Context,
}

impl Frame {
    /// Makes a window of this size in points, which is not shown yet.
    pub(super) fn open(
        event_loop: &ActiveEventLoop,
        display: &softbuffer::Context<OwnedDisplayHandle>,
        proxy: &EventLoopProxy<Told>,
        wanted: Option<Theme>,
        size: Vec2,
    ) -> Result<Self, WindowError> {
        let window = Arc::new(event_loop.create_window(attributes(event_loop, size))?);
        let surface = Surface::new(display, window.clone())?;
        let ctx = Context::default();
        theme::install(&ctx);
        ctx.options_mut(|options| options.fallback_theme = Theme::Light);
        if let Some(wanted) = wanted {
            ctx.set_theme(ThemePreference::from(wanted));
        }
        let mut state = State::new(ctx.clone(), ViewportId::ROOT, &window, None, window.theme(), None);
        state.init_accesskit(event_loop, &window, proxy.clone());
        Ok(Self { surface, state, window, canvas: Canvas::default(), ctx })
    }

    pub(super) fn id(&self) -> WindowId {
        self.window.id()
    }

    pub(super) fn show(&self) {
        self.window.set_visible(true);
        self.redraw();
    }

    pub(super) fn redraw(&self) {
        self.window.request_redraw();
    }

    /// Makes the window at least as large as this, in points.
    pub(super) fn grow(&self, size: Vec2) {
        let now = self.window.inner_size().to_logical::<f32>(self.window.scale_factor());
        if now.width < size.x || now.height < size.y {
            let size = LogicalSize::new(now.width.max(size.x), now.height.max(size.y));
            let _ = self.window.request_inner_size(size);
        }
    }

    /// Takes an event of the window system; says whether something has to be drawn.
    pub(super) fn take(&mut self, event: &WindowEvent) -> bool {
        if let WindowEvent::ThemeChanged(theme) = event {
            let theme = if *theme == winit::window::Theme::Dark { Theme::Dark } else { Theme::Light };
            self.state.egui_input_mut().system_theme = Some(theme);
        }
        self.state.on_window_event(&self.window, event).repaint
    }

    /// Takes what assistive programs ask.
    pub(super) fn take_accessibility(&mut self, event: egui_winit::accesskit_winit::WindowEvent) {
        use egui_winit::accesskit_winit::WindowEvent as Asked;
        match event {
            Asked::InitialTreeRequested => self.ctx.enable_accesskit(),
            Asked::ActionRequested(request) => self.state.on_accesskit_action_request(request),
            Asked::AccessibilityDeactivated => self.ctx.disable_accesskit(),
        }
        self.redraw();
    }

    /// Draws. Returns when it has to be drawn again without anything happening, if so.
    pub(super) fn draw(
        &mut self,
        mut content: impl FnMut(&mut egui::Ui),
    ) -> Result<Option<Duration>, WindowError> {
        let size = self.window.inner_size();
        let (Some(width), Some(height)) = (NonZeroU32::new(size.width), NonZeroU32::new(size.height)) else {
            return Ok(None);
        };
        let input = self.state.take_egui_input(&self.window);
        let mut output = self.ctx.run_ui(input, |ui| content(ui));
        let platform = std::mem::take(&mut output.platform_output);
        self.state.handle_platform_output(&self.window, platform);
        self.put(&mut output, width, height)?;
        let root = output.viewport_output.get(&ViewportId::ROOT);
        Ok(root.map(|root| root.repaint_delay).filter(|delay| *delay < Duration::from_secs(3600)))
    }

    fn put(
        &mut self,
        output: &mut FullOutput,
        width: NonZeroU32,
        height: NonZeroU32,
    ) -> Result<(), WindowError> {
        let side = |pixels: NonZeroU32| usize::try_from(pixels.get()).unwrap_or(1);
        self.canvas.draw(&self.ctx, output, side(width), side(height));
        self.surface.resize(width, height)?;
        let mut buffer = self.surface.buffer_mut()?;
        for (to, from) in buffer.iter_mut().zip(self.canvas.pixels()) {
            *to = from;
        }
        self.window.pre_present_notify();
        buffer.present()?;
        Ok(())
    }
}

fn attributes(event_loop: &ActiveEventLoop, size: Vec2) -> WindowAttributes {
    let attributes = Window::default_attributes()
        .with_title(TITLE)
        .with_inner_size(LogicalSize::new(size.x, size.y))
        .with_min_inner_size(LogicalSize::new(320.0, 360.0))
        .with_visible(false);
    let attributes = WindowAttributesExtX11::with_name(attributes, APP_ID, APP_ID);
    let attributes = WindowAttributesExtWayland::with_name(attributes, APP_ID, APP_ID);
    let attributes = attributes.with_x11_window_type(vec![WindowType::Dialog]);
    match event_loop.read_token_from_env() {
        Some(token) => attributes.with_activation_token(token),
        None => attributes,
    }
}
