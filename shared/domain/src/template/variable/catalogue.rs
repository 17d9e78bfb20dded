//! The list of variables.

use super::words::{self, ARTICLE, DOCUMENT, PIECE};
use super::{Context, Definition, Raw, ValueType};
use crate::event::person::Person;
use crate::event::{Activity, ActivityTime, Cart, EventData, EventType, File, Order, PublishedDocument, SiteMessage};
use crate::primitives::list::List;
use crate::primitives::words::Noun;

const ORDER: &[EventType] = &[EventType::OrderStatusChanged];
const CART: &[EventType] = &[EventType::CartAbandoned];
const MESSAGE: &[EventType] = &[EventType::MessageSent, EventType::MessageRead];
const ACTIVITY: &[EventType] =
    &[EventType::ActivityStatusChanged, EventType::ActivityAcknowledged, EventType::ActivityReminder];
const STATE_CHANGE: &[EventType] = &[EventType::ActivityStatusChanged];
const REMINDER: &[EventType] = &[EventType::ActivityReminder];
const FILE: &[EventType] = &[EventType::FileUploaded, EventType::FileDownloaded, EventType::FilePreviewed];
const DOCUMENTS: &[EventType] = &[EventType::DocumentsPublished];
const FILE_OR_DOCUMENTS: &[EventType] =
    &[EventType::FileUploaded, EventType::FileDownloaded, EventType::FilePreviewed, EventType::DocumentsPublished];
const WITH_ACTOR: &[EventType] = &[
    EventType::MessageSent,
    EventType::MessageRead,
    EventType::ActivityStatusChanged,
    EventType::ActivityAcknowledged,
    EventType::FileUploaded,
    EventType::FileDownloaded,
    EventType::FilePreviewed,
];
/// Every event type that sends messages.
const ANY: &[EventType] = &[
    EventType::OrderStatusChanged,
    EventType::CartAbandoned,
    EventType::MessageSent,
    EventType::MessageRead,
    EventType::ActivityStatusChanged,
    EventType::ActivityAcknowledged,
    EventType::ActivityReminder,
    EventType::FileUploaded,
    EventType::FileDownloaded,
    EventType::FilePreviewed,
    EventType::DocumentsPublished,
];

/// A row: id, type, events; labels and meanings in Italian and English; an example; the function that returns the
/// value.
macro_rules! variables {
    ($($id:literal, $type:ident, $events:ident, $italian:literal / $english:literal,
        $meaning_it:literal / $meaning_en:literal, $example:literal, $value:expr;)*) => {
        /// Every variable.
        pub static ALL: &[Definition] = &[$(Definition {
            id: $id,
            value_type: ValueType::$type,
            events: $events,
            italian_label: $italian,
            english_label: $english,
            italian_meaning: $meaning_it,
            english_meaning: $meaning_en,
            example: $example,
            value: $value,
        }),*];
    };
}

variables! {
    "last_name", Text, ANY, "Cognome" / "Surname",
        "Cognome o ragione sociale del destinatario; nell'upload di un file, di chi lo ha caricato."
        / "Surname or company name of the recipient; on an upload, of the uploader.",
        "Rossi", |from| text(named(from).surname_or_company());
    "first_name", Text, ANY, "Nome" / "First name",
        "Nome del destinatario, vuoto per le aziende; nell'upload di un file, di chi lo ha caricato."
        / "First name of the recipient, empty for companies; on an upload, of the uploader.",
        "Anna", |from| text(named(from).first_name.as_deref());
    "full_name", Text, ANY, "Nominativo" / "Full name",
        "Nome e cognome o ragione sociale del destinatario; nell'upload di un file, di chi lo ha caricato."
        / "First name and surname or company name of the recipient; on an upload, of the uploader.",
        "Anna Rossi", |from| named(from).full_name().map(Raw::Owned);
    "recipient.first_name", Text, ANY, "Nome del destinatario" / "Recipient's first name",
        "Nome di chi riceve il messaggio, vuoto per le aziende." / "First name of the person who receives the message, empty for companies.",
        "Giulia", |from| text(from.recipient.first_name.as_deref());
    "recipient.last_name", Text, ANY, "Cognome del destinatario" / "Recipient's surname",
        "Cognome o ragione sociale di chi riceve il messaggio." / "Surname or company name of the person who receives the message.",
        "Verdi", |from| text(from.recipient.surname_or_company());
    "recipient.full_name", Text, ANY, "Nominativo del destinatario" / "Recipient's full name",
        "Nome e cognome o ragione sociale di chi riceve il messaggio."
        / "First name and surname or company name of the person who receives the message.",
        "Giulia Verdi", |from| from.recipient.full_name().map(Raw::Owned);
    "actor.first_name", Text, WITH_ACTOR, "Nome dell'autore" / "Actor's first name",
        "Nome di chi ha eseguito l'operazione, vuoto per le aziende." / "First name of the person who performed the action, empty for companies.",
        "Marco", |from| text(from.event.actor()?.first_name.as_deref());
    "actor.last_name", Text, WITH_ACTOR, "Cognome dell'autore" / "Actor's surname",
        "Cognome o ragione sociale di chi ha eseguito l'operazione." / "Surname or company name of the person who performed the action.",
        "Bianchi", |from| text(from.event.actor()?.surname_or_company());
    "actor.full_name", Text, WITH_ACTOR, "Nominativo dell'autore" / "Actor's full name",
        "Nome e cognome o ragione sociale di chi ha eseguito l'operazione."
        / "First name and surname or company name of the person who performed the action.",
        "Marco Bianchi", |from| from.event.actor()?.full_name().map(Raw::Owned);

    "order.item_count", Number, ORDER, "Numero articoli" / "Number of articles",
        "Numero di articoli del documento, esclusi quelli di tipo spesa." / "Number of articles of the document, without expense articles.",
        "3", |from| order(from).map(|order| Raw::Count(order.item_count));
    "order.item_count_text", Text, ORDER, "Articoli in parole" / "Articles in words",
        "Numero di articoli del documento con la parola «articolo» o «articoli»."
        / "Number of articles of the document with the word \"item\" or \"items\".",
        "3 articoli", |from| order(from).map(|order| counted(order.item_count, &ARTICLE));
    "order.code", Text, ORDER, "Sigla Documento" / "Document code",
        "Sigla del documento nel gestionale; finché manca, il numero di Passweb."
        / "The ERP's code of the document; until there is one, Passweb's number.",
        // NUOVO, PAGAMENTO NON CONFERMATO and DA VERIFICARE do not have a code in the ERP yet.
        "OC1/1320", |from| order(from).map(|order| Raw::Text(order.code.as_deref().unwrap_or(order.id.as_str())));
    "order.kind", Text, ORDER, "Tipo Documento" / "Document kind",
        "Che cos'è il documento: ordine, bolla, fattura, preventivo o reso."
        / "What the document is: order, delivery note, invoice, quote or return.",
        "ordine", |from| order(from).map(|order| Raw::Words(words::document_kind(order.kind)));
    "order.status", State, ORDER, "Stato Documento" / "Document state",
        "Stato in cui è entrato il documento: in italiano come lo scrive Passweb, nelle altre lingue tradotto."
        / "The state that the document entered: as Passweb writes it in Italian, translated in other languages.",
        "Memorizzato", |from| order(from).map(|order| Raw::OrderState(&order.status));
    "order.total", Money, ORDER, "Totale Ordine" / "Order total",
        "Totale del documento." / "The document's total.",
        "129,90 €", |from| order(from).map(|order| Raw::Money(&order.total));
    "order.id", Text, ORDER, "Numero ordine" / "Order number",
        "Numero del documento in Passweb." / "The document's number in Passweb.",
        "1320", |from| order(from).map(|order| Raw::Text(order.id.as_str()));
    "order.previous_status", State, ORDER, "Stato precedente" / "Previous state",
        "Stato che il documento ha lasciato." / "The state that the document left.",
        "Nuovo", |from| order(from)?.previous_status.as_deref().map(Raw::OrderState);
    "order.quantity", Number, ORDER, "Quantità articoli" / "Quantity of articles",
        "Somma delle quantità degli articoli." / "Sum of the articles' quantities.",
        "5", |from| order(from)?.quantity.map(Raw::Count);
    "order.quantity_text", Text, ORDER, "Quantità in parole" / "Quantity in words",
        "Somma delle quantità con la parola «pezzo» o «pezzi»." / "Sum of the quantities with the word \"unit\" or \"units\".",
        "5 pezzi", |from| order(from)?.quantity.map(|quantity| counted(quantity, &PIECE));
    "order.date", Date, ORDER, "Data Documento" / "Document date",
        "Data del documento." / "The document's date.",
        "20/11/2026", |from| order(from)?.date.map(Raw::Date);
    "order.delivery_date", Date, ORDER, "Data Consegna" / "Delivery date",
        "Data di consegna prevista." / "Expected delivery date.",
        "25/11/2026", |from| order(from)?.delivery_date.map(Raw::Date);
    "order.payment", Text, ORDER, "Pagamento" / "Payment",
        "Modalità di pagamento." / "Payment method.",
        "Bonifico", |from| text(order(from)?.payment.as_deref());
    "order.carrier", Text, ORDER, "Vettore" / "Carrier",
        "Chi consegna la merce." / "Who delivers the goods.",
        "BRT", |from| text(order(from)?.carrier.as_deref());
    "order.tracking_number", Text, ORDER, "Numero di spedizione" / "Tracking number",
        "Numero con cui il vettore segue la spedizione." / "The carrier's tracking number of the shipment.",
        "084512345678", |from| text(order(from)?.tracking_number.as_deref());
    "order.tracking_url", Url, ORDER, "URL di spedizione" / "Tracking URL",
        "Pagina del vettore per seguire la spedizione." / "The carrier's page for tracking the shipment.",
        "https://track.example.com/084512345678", |from| text(order(from)?.tracking_url.as_deref());
    "order.origin_code", Text, ORDER, "Ordine di Origine" / "Original order",
        "Sigla dell'ordine da cui viene la bolla o la fattura."
        / "Code of the order that the delivery note or invoice comes from.",
        "OC1/1300", |from| text(order(from)?.origin_code.as_deref());
    "order.url", Url, ORDER, "URL del documento" / "Document URL",
        "Pagina del documento sul sito." / "The document's page on the site.",
        "https://www.example.com/ordini/1320", |from| text(order(from)?.url.as_deref());

    "cart.item_count", Number, CART, "Numero articoli carrello" / "Number of articles in the cart",
        "Numero di articoli del carrello, esclusi quelli di tipo spesa." / "Number of articles in the cart, without expense articles.",
        "2", |from| cart(from).map(|cart| Raw::Count(cart.item_count));
    "cart.item_count_text", Text, CART, "Articoli del carrello in parole" / "Articles in the cart in words",
        "Numero di articoli del carrello con la parola «articolo» o «articoli»."
        / "Number of articles in the cart with the word \"item\" or \"items\".",
        "2 articoli", |from| cart(from).map(|cart| counted(cart.item_count, &ARTICLE));
    "cart.total", Money, CART, "Totale Carrello" / "Cart total",
        "Totale del carrello." / "The cart's total.",
        "59,80 €", |from| cart(from).map(|cart| Raw::Money(&cart.total));
    "cart.url", Url, CART, "URL del carrello" / "Cart URL",
        "Pagina che mostra il carrello." / "The page that shows the cart.",
        "https://www.example.com/carrello/C-55", |from| text(cart(from)?.url.as_deref());

    "message.subject", Text, MESSAGE, "Oggetto Messaggio" / "Message subject",
        "Oggetto del messaggio dell'area riservata; se manca, «(senza oggetto)» nella lingua del template."
        / "Subject of the message in the customer area; if it is empty, \"(no subject)\" in the template's language.",
        "Consegna di giovedì", |from| message(from).map(|message| Raw::Text(&message.subject));
    "message.body", Text, MESSAGE, "Testo Messaggio" / "Message text",
        "Testo del messaggio, su una riga sola." / "The message's text, on one line.",
        "Buongiorno, arriviamo alle 10.", |from| message(from).map(|message| Raw::Text(&message.body));
    "message.url", Url, MESSAGE, "URL del messaggio" / "Message URL",
        "Pagina del messaggio sul sito." / "The message's page on the site.",
        "https://www.example.com/messaggi/M1", |from| text(message(from)?.url.as_deref());

    "activity.date", Date, ACTIVITY, "Data Attività" / "Activity date",
        "Giorno in cui l'attività inizia." / "The day on which the activity begins.",
        "24/11/2026", |from| activity(from).map(|activity| match activity.starts {
            ActivityTime::Day(day) => Raw::Date(day),
            ActivityTime::At(instant) => Raw::DayOf(instant),
        });
    "activity.subject", Text, ACTIVITY, "Oggetto Attività" / "Activity subject",
        "Oggetto dell'attività; se manca, «(senza oggetto)» nella lingua del template."
        / "The activity's subject; if it is empty, \"(no subject)\" in the template's language.",
        "Sopralluogo", |from| activity(from).map(|activity| Raw::Text(&activity.subject));
    "activity.new_state", State, STATE_CHANGE, "Nuovo Stato" / "New state",
        "Stato in cui è entrata l'attività." / "The state that the activity entered.",
        "Completata", |from| states(from).map(|(_, new)| Raw::ActivityState(new));
    // The manual prints "replaced by the new state", but the variable is the state that was left (C-5).
    "activity.old_state", State, STATE_CHANGE, "Vecchio Stato" / "Old state",
        "Stato che l'attività ha lasciato." / "The state that the activity left.",
        "Pianificata", |from| states(from).map(|(old, _)| Raw::ActivityState(old));
    "activity.start", Moment, ACTIVITY, "Inizio Attività" / "Activity start",
        "Data e ora di inizio; solo la data se dura tutto il giorno."
        / "Date and time of the start; only the date for a whole-day activity.",
        "24/11/2026 alle 15:30", |from| activity(from).map(|activity| moment(activity.starts));
    "activity.end", Moment, ACTIVITY, "Fine Attività" / "Activity end",
        "Data e ora di fine; solo la data se dura tutto il giorno."
        / "Date and time of the end; only the date for a whole-day activity.",
        "24/11/2026 16:30", |from| activity(from)?.ends.map(moment);
    "activity.description", Text, ACTIVITY, "Descrizione Attività" / "Activity description",
        "Descrizione dell'attività." / "The activity's description.",
        "Misure per la nuova cucina", |from| text(activity(from)?.description.as_deref());
    "activity.state", State, ACTIVITY, "Stato Attività" / "Activity state",
        "Stato in cui si trova l'attività." / "The activity's current state.",
        "Pianificata", |from| activity(from).map(|activity| Raw::ActivityState(&activity.state));
    "activity.url", Url, ACTIVITY, "URL dell'attività" / "Activity URL",
        "Pagina dell'attività sul sito." / "The activity's page on the site.",
        "https://www.example.com/agenda/A1", |from| text(activity(from)?.url.as_deref());
    "reminder.minutes_before", Number, REMINDER, "Anticipo del promemoria" / "Reminder lead",
        "Minuti tra il promemoria e l'inizio dell'attività." / "Minutes between the reminder and the activity's start.",
        "60", |from| minutes_before(from).map(Raw::Count);
    "reminder.minutes_before_text", Text, REMINDER, "Anticipo in parole" / "Reminder lead in words",
        "Tempo tra il promemoria e l'inizio dell'attività, in minuti, ore o giorni."
        / "Time between the reminder and the activity's start, in minutes, hours or days.",
        "1 ora", |from| {
            let (count, noun) = words::duration(minutes_before(from)?);
            Some(counted(count, noun))
        };

    "file.folder", Text, FILE_OR_DOCUMENTS, "Nome Cartella" / "Folder name",
        "Cartella che contiene il file; per i documenti Docuvision, le cartelle."
        / "The folder that contains the file; for Docuvision documents, the folders.",
        "Listini", |from| match documents(from) {
            Some(documents) => listed(documents.iter().filter_map(|document| document.folder.as_deref())),
            None => file(from).map(|file| Raw::Text(&file.folder)),
        };
    "file.name", Text, FILE_OR_DOCUMENTS, "Nome File" / "File name",
        "Nome del file; di più file riuniti e dei documenti Docuvision, i nomi."
        / "The file's name; for several files in one message and for Docuvision documents, the names.",
        "Listino 2027.pdf", |from| match documents(from) {
            Some(_) => document_names(from),
            None => file_names(from),
        };
    "files.count", Number, FILE, "Numero file" / "Number of files",
        "Numero dei file di cui parla il messaggio: uno, o più se l'azione li riunisce."
        / "Number of files that the message covers: one, or more if the mapping collects them.",
        "3", |from| file(from).map(|_| Raw::Count(file_count(from)));
    "files.count_text", Text, FILE, "Numero file in parole" / "Number of files in words",
        "Numero dei file di cui parla il messaggio con la parola «file»."
        / "Number of files that the message covers with the word \"file\" or \"files\".",
        "3 file", |from| file(from).map(|_| counted(file_count(from), &words::FILE));
    "files.names", Text, FILE, "Nomi file" / "File names",
        "Nomi dei file, separati da virgole; se non entrano tutti, i primi e il numero degli altri: (+12)."
        / "Names of the files, separated by commas; if they do not fit, the first ones and the number of the others: (+12).",
        "Listino 2027.pdf, Catalogo.pdf (+12)", |from| file_names(from);
    "file.url", Url, FILE, "URL del file" / "File URL",
        "Pagina del file sul sito." / "The file's page on the site.",
        "https://www.example.com/documenti/F1", |from| text(file(from)?.url.as_deref());
    "documents.count", Number, DOCUMENTS, "Numero documenti" / "Number of documents",
        "Numero dei documenti pubblicati." / "Number of published documents.",
        "2", |from| document_count(from).map(Raw::Count);
    "documents.count_text", Text, DOCUMENTS, "Numero documenti in parole" / "Number of documents in words",
        "Numero dei documenti pubblicati con la parola «documento» o «documenti»."
        / "Number of published documents with the word \"document\" or \"documents\".",
        "2 documenti", |from| document_count(from).map(|count| counted(count, &DOCUMENT));
    "documents.names", Text, DOCUMENTS, "Nomi documenti" / "Document names",
        "Nomi dei documenti pubblicati, separati da virgole; se non entrano tutti, i primi e il numero degli altri: (+12)."
        / "Names of the published documents, separated by commas; if they do not fit, the first ones and the number of the others: (+12).",
        "Cedolino ottobre.pdf, F24 novembre.pdf", |from| document_names(from);
    "documents.classes", Text, DOCUMENTS, "Classi documenti" / "Document classes",
        "Classi Docuvision dei documenti pubblicati." / "Docuvision classes of the published documents.",
        "Cedolini, F24", |from| listed(documents(from)?.iter().filter_map(|document| document.class.as_deref()));

    "site.url", Url, ANY, "URL Sito" / "Site URL",
        "Pagina dell'ordine o del carrello; negli altri eventi, la home page del sito."
        / "The page of the order or cart; on other events, the site's home page.",
        "https://www.example.com", |from| match &from.event.data {
            EventData::OrderStatusChanged { order, .. } => text(order.url.as_deref()),
            EventData::CartAbandoned { cart, .. } => text(cart.url.as_deref()),
            _ => text(from.site_url),
        };
}

fn text(text: Option<&str>) -> Option<Raw<'_>> {
    text.map(Raw::Text)
}

fn counted<'a>(count: u64, noun: &'static Noun) -> Raw<'a> {
    Raw::Counted { count, noun }
}

/// Lists distinct names in their order; `None` if there are none.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Option<Raw<'a>> {
    List::distinct(names).map(Raw::List)
}

/// Returns the person whose name the manual's own three variables show: on an upload the uploader, otherwise the
/// recipient.
fn named<'a>(from: &Context<'a>) -> &'a Person {
    if let EventData::FileUploaded(action) = &from.event.data { &action.actor } else { from.recipient }
}

fn order<'a>(from: &Context<'a>) -> Option<&'a Order> {
    if let EventData::OrderStatusChanged { order, .. } = &from.event.data { Some(order) } else { None }
}

fn cart<'a>(from: &Context<'a>) -> Option<&'a Cart> {
    if let EventData::CartAbandoned { cart, .. } = &from.event.data { Some(cart) } else { None }
}

fn message<'a>(from: &Context<'a>) -> Option<&'a SiteMessage> {
    match &from.event.data {
        EventData::MessageSent { message, .. } | EventData::MessageRead { message, .. } => Some(message),
        _ => None,
    }
}

fn activity<'a>(from: &Context<'a>) -> Option<&'a Activity> {
    from.event.activity()
}

/// Returns the previous and the new state of an activity.
fn states<'a>(from: &Context<'a>) -> Option<(&'a str, &'a str)> {
    if let EventData::ActivityStatusChanged(change) = &from.event.data {
        Some((&change.old_state, &change.new_state))
    } else {
        None
    }
}

fn moment<'a>(time: ActivityTime) -> Raw<'a> {
    match time {
        ActivityTime::Day(day) => Raw::Date(day),
        ActivityTime::At(instant) => Raw::Moment(instant),
    }
}

fn minutes_before(from: &Context<'_>) -> Option<u64> {
    if let EventData::ActivityReminder { reminder, .. } = &from.event.data {
        Some(reminder.minutes_before)
    } else {
        None
    }
}

fn file<'a>(from: &Context<'a>) -> Option<&'a File> {
    Some(&from.event.file_action()?.file)
}

fn file_names<'a>(from: &Context<'a>) -> Option<Raw<'a>> {
    let file = file(from)?;
    Some(from.files.map_or(Raw::Text(&file.name), |files| Raw::List(files.names())))
}

fn file_count(from: &Context<'_>) -> u64 {
    from.files.map_or(1, |files| files.count)
}

fn document_count(from: &Context<'_>) -> Option<u64> {
    documents(from).map(|documents| documents.len().try_into().unwrap_or(u64::MAX))
}

fn documents<'a>(from: &Context<'a>) -> Option<&'a [PublishedDocument]> {
    if let EventData::DocumentsPublished { documents, .. } = &from.event.data { Some(documents) } else { None }
}

fn document_names<'a>(from: &Context<'a>) -> Option<Raw<'a>> {
    listed(documents(from)?.iter().map(|document| document.name.as_str()))
}
