no-message = a { $phone } non verrebbe inviato alcun messaggio. { $reasons }
message-not-sent = il messaggio non è stato inviato
event-gone = l'evento { $id } non è più nel registro
