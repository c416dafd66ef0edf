//! The controls that show what a back end sent by SMS and by mail.

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{Mail, Simulator, Sms, messages::Arrived};

#[derive(Serialize)]
pub(super) struct Messages<T> {
    messages: Vec<Arrived<T>>,
}

pub(super) async fn sms(State(simulator): State<Simulator>) -> Json<Messages<Sms>> {
    let messages = simulator.world().sms.list();
    Json(Messages { messages })
}

pub(super) async fn clear_sms(State(simulator): State<Simulator>) -> Json<Messages<Sms>> {
    simulator.world().sms.clear();
    Json(Messages {
        messages: Vec::new(),
    })
}

pub(super) async fn mails(State(simulator): State<Simulator>) -> Json<Messages<Mail>> {
    let messages = simulator.world().mails.list();
    Json(Messages { messages })
}

pub(super) async fn clear_mails(State(simulator): State<Simulator>) -> Json<Messages<Mail>> {
    simulator.world().mails.clear();
    Json(Messages {
        messages: Vec::new(),
    })
}
