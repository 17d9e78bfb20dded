cmd = Gestisce il bridge da Passweb a WhatsApp: siti, account, azioni, template e l'esito di ogni messaggio
after =
    Esempi:
      bridge site show
      bridge mapping check azioni/ordini.yaml
      bridge preview --mapping azioni/ordini.yaml --event evento.json
      bridge explain --event c4a1b7e2-77
      bridge --stack passweb-prod --site negozio audit --days 3

    Senza --stack, bridge lavora sulla prova locale.
    Codici di uscita: 0 fatto, 1 risultato negativo o problemi, 2 riga di comando
    errata, 3 stack o piattaforma non raggiungibile.
arg-data-dir = Cartella dei dati della prova locale
arg-stack = Nome CloudFormation di uno stack su AWS, da usare al posto della prova locale
arg-region = Regione AWS dello stack; se manca, quella di samconfig.toml, dell'ambiente o del profilo
arg-profile = Profilo AWS con le credenziali; se manca, quello di samconfig.toml o dell'ambiente
arg-site = Id del sito; se manca, il sito demo della prova locale
arg-json = Scrive JSON sull'uscita standard
arg-lang = Lingua dei testi; se manca, quella del sistema, altrimenti l'italiano
arg-show-phones = Mostra i numeri di telefono per intero
arg-help = Mostra questo aiuto
arg-version = Mostra la versione
cmd-help = Mostra questo aiuto, o quello di un comando
cmd-site = Gestisce i siti e le loro chiavi
cmd-site-add = Aggiunge un sito e ne mostra la chiave, una sola volta
after-site-add =
    Esempio:
      bridge site add negozio url=https://www.example.com retention_days=60
arg-site-add-id = Id del sito
arg-site-add-settings = Impostazioni diverse da quelle predefinite
cmd-site-show = Mostra impostazioni, chiavi, account, azioni e webhook del sito
cmd-site-set = Modifica le impostazioni del sito
after-site-set =
    Esempio:
      bridge site set time_zone=Europe/Zurich default_language=de
arg-site-set-settings = Impostazioni da modificare; un valore vuoto toglie un'impostazione facoltativa
cmd-site-rotate-key = Crea una nuova chiave; le altre restano valide finché non vengono revocate
after-site-rotate-key =
    Esempio:
      bridge site rotate-key
      bridge site rotate-key --revoke 1f2e3d4c5b6a
arg-site-rotate-key-revoke = Revoca la chiave con questo id, la parte fra pwb_ e il trattino basso successivo
cmd-site-set-signing = Crea un segreto con cui il sito firma le proprie richieste, oppure imposta se le firme sono obbligatorie
after-site-set-signing =
    Il primo segreto rende facoltative le firme. Un secondo lo sostituisce senza
    interruzioni: entrambi sono validi fino a --revoke-old.

    Esempio:
      bridge site set-signing
      bridge site set-signing --mode required
      bridge site set-signing --revoke-old
arg-site-set-signing-mode = Se le firme sono ignorate, verificate quando ci sono, o obbligatorie; non crea segreti
arg-site-set-signing-revoke-old = Revoca il più vecchio di due segreti; non crea segreti
cmd-site-set-webhook = Imposta come autenticare le richieste del webhook; se il webhook non esiste, lo crea
after-site-set-webhook =
    Meta firma le richieste con l'app secret. Un fornitore che non le firma manda un
    token in un header.

    Esempio:
      bridge site set-webhook --app-secret-file secret.txt
      bridge site set-webhook --token-header X-Webhook-Token --token-file token.txt
arg-site-set-webhook-app-secret-file = File con l'app secret, oppure - per l'ingresso standard; le richieste devono essere firmate
arg-site-set-webhook-token-header = Header che contiene un token; le richieste non sono firmate
arg-site-set-webhook-token-file = File con quel token, oppure - per l'ingresso standard
cmd-account = Gestisce gli account WA Smart Business
cmd-account-add = Aggiunge un account
after-account-add =
    Esempio:
      bridge account add main --token-file token.txt \
        base_url=https://api.example.com/v23.0 phone_number_id=106 waba_id=102
arg-account-id = Id dell'account
arg-account-add-token-file = File con il token di accesso, oppure - per l'ingresso standard
arg-account-add-settings = Impostazioni dell'account
cmd-account-show = Mostra le impostazioni di un account e se è fermo
arg-account-show-id = Id dell'account; se manca, quello predefinito del sito
cmd-account-set = Modifica le impostazioni di un account; un altro host in base_url richiede di nuovo il token
arg-account-set-token-file = File con un nuovo token di accesso, oppure - per l'ingresso standard
arg-account-set-settings = Impostazioni da modificare
cmd-account-test = Verifica le impostazioni nell'ordine e si ferma alla prima sbagliata; non invia nulla
arg-account-test-id = Id dell'account; se manca, quello predefinito del sito
cmd-account-start = Fa ripartire subito un account fermo, senza attendere un tentativo riuscito
cmd-mapping = Gestisce le azioni, che assegnano template ai tipi di evento
cmd-mapping-new = Scrive il file commentato di una nuova azione, con una proposta per ogni segnaposto del template
after-mapping-new =
    Il file non viene salvato come azione: completarlo, poi `bridge mapping check` e
    `bridge mapping apply`.

    Esempio:
      bridge mapping new --event order.status_changed --template ordine_spedito --output spedito.yaml
arg-mapping-new-event = Tipo di evento
arg-mapping-new-template = Nome del template
arg-mapping-new-language = Solo questa lingua del template, come la elenca WA Smart Business; se manca, tutte
arg-mapping-new-output = File da creare; se manca, il testo va sull'uscita standard
cmd-mapping-check = Elenca tutti gli errori del file di un'azione
arg-mapping-file = File YAML o JSON, oppure - per l'ingresso standard
cmd-mapping-apply = Controlla un'azione e la salva
cmd-mapping-list = Elenca le azioni e il loro stato: attiva, disattivata, da rivedere o in pausa
cmd-mapping-confirm = Accetta i template di un'azione come sono ora, così che torni a inviare
after-mapping-confirm =
    Prima, guardare i template: `bridge preview` mostra che cosa verrebbe inviato.

    Esempio:
      bridge mapping confirm stato-ordine
arg-mapping-id = Id dell'azione
cmd-mapping-enable = Attiva un'azione dopo averla controllata
cmd-mapping-disable = Disattiva un'azione; i messaggi già previsti non vengono inviati
cmd-mapping-delete = Elimina un'azione; i messaggi già previsti non vengono inviati, la cronologia resta
arg-mapping-delete-yes = Conferma l'eliminazione
cmd-mapping-history = Elenca tutte le versioni salvate di un'azione, anche dopo l'eliminazione
cmd-mapping-export = Scrive un'azione in YAML, oppure tutte le azioni in una cartella
after-mapping-export =
    Esempio:
      bridge mapping export stato-ordine > stato-ordine.yaml
      bridge mapping export stato-ordine --version 3 | bridge mapping apply -
      bridge mapping export --dir azioni
arg-mapping-export-version = Versione precedente, con il suo numero nella cronologia
arg-mapping-export-dir = Cartella per tutte le azioni, un file per ciascuna
cmd-template = Sincronizza ed elenca i template approvati da Meta
cmd-template-sync = Legge ora gli elenchi dei template e indica le azioni da rivedere
arg-template-sync-even-if-many-go = Accetta l'elenco anche se vi manca una gran parte dei template
cmd-template-list = Elenca i template dell'ultima sincronizzazione
cmd-template-show = Mostra un template: testo, intestazione, pulsanti, segnaposto, stato, azioni che lo usano e perché non è utilizzabile
after-template-show =
    Esempio:
      bridge template show conferma_ordine --language it
arg-template-show-name = Nome del template
arg-template-show-language = Solo questa lingua; se manca, tutte
cmd-variable = Elenca le variabili che compilano i segnaposto
cmd-variable-list = Elenca le variabili con etichetta, significato, tipo ed esempio; non richiede uno stack
after-variable-list =
    Esempio:
      bridge variable list --event order.status_changed
arg-variable-list-event = Elenca solo le variabili di questo tipo di evento
cmd-preview = Mostra che cosa verrebbe inviato per un evento, senza inviarlo
after-preview =
    Esempio:
      bridge preview --mapping azioni/ordini.yaml --event evento.json --json
arg-preview-mapping = Id o file di un'azione
arg-preview-event = Id di un evento nel registro, file di un evento, oppure - per l'ingresso standard
arg-preview-template = File di un template, come lo elenca WA Smart Business, da usare al posto di quello sincronizzato
cmd-send-test = Invia un messaggio a un numero attraverso la coda e la funzione di invio
after-send-test =
    Una persona con il numero indicato sostituisce il destinatario dell'evento. Tutti
    gli altri numeri vengono tolti dall'evento.

    Esempio:
      bridge send-test --mapping stato-ordine --event evento.json --phone +393401234567
arg-send-test-mapping = Id dell'azione
arg-send-test-event = Id di un evento nel registro, file di un evento, oppure - per l'ingresso standard
arg-send-test-phone = Numero a cui inviare
arg-send-test-wait = Secondi di attesa dell'esito
cmd-explain = Spiega l'esito di un evento, o di tutti gli eventi di un numero o di un ordine
after-explain =
    Esempio:
      bridge explain --event c4a1b7e2-77
      bridge explain --phone '340 1234567' --lang en
arg-explain-event = Id dell'evento
arg-explain-phone = Numero di telefono; mostra i suoi messaggi, le esclusioni, il consenso e gli eventi recenti che lo hanno tralasciato
arg-explain-order = Ordine, con il numero di Passweb o con il codice che vede il cliente, per esempio OC1/1320
cmd-audit = Conta eventi e messaggi per esito; esce con 1 se un messaggio è senza esito
arg-days = Giorni da considerare
arg-audit-days = Giorni da considerare; gli eventi più vecchi non cambiano, perché nessun messaggio è utile per più di una settimana
cmd-schedule = Elenca, annulla o invia i messaggi e i promemoria in attesa
cmd-schedule-list = Elenca ciò che attende, con la scadenza e il motivo; le code degli account mostrano prima i messaggi più vecchi
after-schedule-list =
    Esempio:
      bridge schedule list --event c4a1b7e2-77 --lang en
arg-schedule-list-event = Elenca solo ciò che attende per questo evento
arg-schedule-list-limit = Numero massimo di elementi, prima i più vicini; vale per ciascuna coda di account
cmd-schedule-cancel = Annulla un messaggio o un promemoria in attesa; il suo esito è "non inviato, annullato"
after-schedule-cancel =
    Esempio:
      bridge schedule cancel 1f….2e…
      bridge schedule cancel bridge:rem.4d…
arg-schedule-id = Id del messaggio o del promemoria
cmd-schedule-fire-now = Invia subito un messaggio in attesa, senza intervallo, attesa dell'azione né ore di silenzio; oppure fa partire subito un promemoria
after-schedule-fire-now =
    Tutto il resto trattiene ancora il messaggio: un sito in pausa, un account fermo,
    un template che Meta non accetta. Chi nel frattempo ha scelto di non ricevere
    messaggi non riceve nulla. Un promemoria parte entro un minuto. Il suo messaggio
    attende la fine delle ore di silenzio, se fire-now non si usa anche su di esso.

    Esempio:
      bridge schedule fire-now 1f….2e…
      bridge schedule fire-now bridge:rem.4d…
cmd-unknown = Elenca e risolve i messaggi di esito ignoto
cmd-unknown-list = Elenca i messaggi di esito ignoto
cmd-unknown-resolve = Registra se un messaggio è arrivato
after-unknown-resolve =
    Esempio:
      bridge unknown resolve 1f….2e… --arrived --note 'il cliente lo ha letto'
arg-message = Id del messaggio
arg-unknown-resolve-arrived = Il messaggio è arrivato
arg-unknown-resolve-not-arrived = Il messaggio non è arrivato; `bridge resend` può inviarlo di nuovo
arg-unknown-resolve-note = Da dove viene l'informazione
cmd-resend = Invia di nuovo un messaggio
after-resend =
    Il nuovo invio passa gli stessi controlli di ogni messaggio: chi ha scelto di non
    ricevere messaggi non riceve nulla. Il tempo in cui è utile riparte da ora.

    Esempio:
      bridge resend 1f….2e… --yes
arg-resend-yes = Invia senza chiedere conferma
arg-resend-even-if-unknown = Invia anche se l'esito è ignoto e l'azione non reinvia mai un messaggio simile
cmd-dead = Elenca i record scartati e li rimette in coda
cmd-dead-list = Elenca i record scartati
cmd-dead-redrive = Rimette in coda i record scartati, dopo averne risolto la causa
after-dead-redrive =
    Esempio:
      bridge dead redrive 059f36b4-87a3-44ab-83d2-661975830a7d
      bridge dead redrive --all
arg-dead-redrive-id = Id del record scartato
arg-dead-redrive-all = Rimette in coda tutti i record scartati che non vi sono ancora tornati
cmd-suppress = Esclude un numero dai messaggi
after-suppress =
    Esempio:
      bridge suppress --phone '340 1234567' --reason 'richiesta telefonica'
arg-phone = Numero di telefono
arg-suppress-scope = Messaggi da escludere: tutti (all) o solo quelli di marketing (marketing)
arg-reason = Motivo
cmd-unsuppress = Toglie l'esclusione di un numero
after-unsuppress =
    Ogni origine ha la sua esclusione. --source stop toglie uno STOP, e così fa uno
    START scritto dalla persona.

    Esempio:
      bridge unsuppress --phone '340 1234567' --source stop --reason 'ha richiamato'
      bridge unsuppress --phone '340 1234567' --unreachable
arg-unsuppress-scope = Messaggi dell'esclusione da togliere: tutti (all) o solo quelli di marketing (marketing)
arg-unsuppress-source = Origine dell'esclusione da togliere: la persona ha scritto STOP (stop), preferenze di WhatsApp (preferences), un operatore (operator), un elenco importato (import)
arg-unsuppress-by = Nome di chi la toglie
arg-unsuppress-unreachable = Termina la pausa di un mese di un numero che WhatsApp non ha potuto raggiungere
cmd-contacts = Importa ed esporta esclusioni e consensi
cmd-contacts-import = Importa esclusioni e consensi da un file CSV
after-contacts-import =
    La prima riga indica le colonne: phone, oppure contact (uno pseudonimo, come lo
    scrive export); scope (all, marketing) con reason; consent al marketing (yes,
    no); e le altre colonne di export. Se una riga è sbagliata, non si scrive nulla.

    Esempio:
      bridge contacts import esclusi.csv --dry-run
arg-contacts-import-file = File CSV con virgole o punti e virgola, oppure - per l'ingresso standard
arg-contacts-import-dry-run = Controlla il file senza scrivere nulla
arg-contacts-import-skip-wrong = Scrive le righe valide anche se altre sono sbagliate
arg-contacts-import-own-export = Il file è un'esportazione di questo sito di questo stack: accetta pseudonimi che nessuna tabella conosce più
cmd-contacts-export = Esporta in CSV tutte le esclusioni, i consensi e i numeri non raggiungibili, con i numeri per intero dove sono noti
arg-contacts-export-output = File da scrivere al posto dell'uscita standard
cmd-erase = Cancella i dati di una persona
after-erase =
    Toglie dal registro il contenuto di eventi, messaggi e record scartati. Restano
    gli esiti e le date, e restano le esclusioni, che contengono uno pseudonimo al
    posto del numero. Le code (al massimo 14 giorni) e le copie di sicurezza (35
    giorni) non vengono toccate. Ripetere il comando se possono aver riportato dati.

    Esempio:
      bridge erase --phone '340 1234567'
arg-erase-phone = Numero di telefono; cancella tutte le persone che lo hanno
arg-erase-person = Id della persona in Passweb
arg-erase-yes = Cancella senza chiedere conferma
cmd-doctor = Controlla tutto ciò da cui dipende lo stack e indica i rimedi; esce con 1 se ci sono problemi
cmd-completions = Scrive lo script di completamento di una shell
after-completions =
    Esempio:
      bridge completions bash > ~/.local/share/bash-completion/completions/bridge
arg-completions-shell = Shell che legge lo script

usage = Uso:
usage-options = [OPZIONI]
usage-command = COMANDO
heading-commands = Comandi:
heading-arguments = Argomenti:
heading-options = Opzioni:
default-value = predefinito
possible-values = valori possibili
environment = ambiente
value-name = NOME
value-folder = CARTELLA
value-number = NUMERO
value-region = REGIONE
value-text = TESTO
value-pair = NOME=VALORE
value-key-id = ID CHIAVE
value-code = CODICE
value-event-type = TIPO
wrong-usage = errore: { $problem }
try-help = Per altre informazioni: --help.
similar-argument = esiste un argomento simile: { $name }
similar-command = esiste un comando simile: { $name }
similar-value = esiste un valore simile: { $name }
usage-conflict = { $argument } non si può usare insieme a { $others }
usage-repeated = { $argument } non si può indicare più volte
usage-no-value = { $argument } richiede un valore
usage-wrong-value = il valore { $value } non è valido per { $argument }
usage-values = valori possibili: { $values }
usage-unknown-command = il comando { $name } non esiste
usage-missing = mancano argomenti obbligatori: { $arguments }
usage-no-command = { $name } richiede un comando: { $commands }
usage-too-many = { $argument } non accetta il valore { $value }: ne ha già uno
usage-unknown-argument = l'argomento { $argument } non esiste
usage-other = la riga di comando non è valida. Dettaglio tecnico: { $detail }
value-days = GIORNI
value-seconds = SECONDI
value-scope = AMBITO
value-source = ORIGINE
