no-message = no message would be sent to { $phone }. { $reasons }
message-not-sent = the message was not sent
event-gone = the event { $id } is no longer in the ledger
