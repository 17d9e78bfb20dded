done = Fatto.
yes-or-no = [s/N]
not-confirmed = nessuna modifica: rispondere sì, oppure usare --yes
text-too-long = { $name } deve essere un testo di al massimo { $max } caratteri
file-error = { $file }: { $error }
file-too-long = { $file } supera { $max } byte
secret-only = il file deve contenere il segreto e nient'altro
days-read = Giorni letti
no-random-bytes = il sistema non fornisce byte casuali: { $error }

# formati di strftime
moment-format = %d/%m/%Y alle %H:%M
date-format = %d/%m/%Y
days = { $count ->
    [one] { $count } giorno
   *[other] { $count } giorni
}
minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minuti
}
aws-failed = AWS non risponde come previsto. Messaggio ricevuto: { $cause }
item-malformed = un record è danneggiato. Dettaglio tecnico: { $cause }
secret-malformed = un segreto non è utilizzabile. Dettaglio tecnico: { $cause }
setup-wrong = l'account non è utilizzabile. Dettaglio tecnico: { $cause }
list-unreachable = l'elenco dei template non è raggiungibile. Dettaglio tecnico: { $cause }
list-refused = l'elenco dei template è stato rifiutato con il codice { $code }: { $details }
list-malformed = l'elenco dei template è illeggibile. Dettaglio tecnico: { $cause }
wrong-id = l'id { $problem }
wrong-number = il numero { $problem }
id-empty = non può essere vuoto
id-too-long = può avere al massimo { $max } caratteri
id-character = può contenere solo lettere, cifre e . _ : -
id-printable = può contenere solo caratteri ASCII stampabili
id-control = non può contenere caratteri di controllo
phone-empty = è vuoto
phone-invalid = non è un numero di telefono valido
phone-extension = ha un interno
phone-no-country = non ha prefisso, e il suo paese non è noto
phone-service = è un numero di servizio
event-unknown-type = il tipo dell'evento non esiste
event-invalid = l'evento ha campi mancanti o errati: { $fields }
not-found = non esiste
not-permitted = accesso negato
not-utf-8 = non è un testo UTF-8
not-json = JSON non valido alla riga { $line }, colonna { $column }
not-yaml = { $file } non è un file YAML valido. Dettaglio tecnico: { $detail }
not-a-template = { $file } non contiene un template. Dettaglio tecnico: { $detail }
internal = errore interno. Dettaglio tecnico: { $detail }
