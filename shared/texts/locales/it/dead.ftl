dead-none = Nessun record scartato.
dead-put-back = Rimesso in coda il { $at }
dead-cut = Era troppo lungo e ne è rimasto solo l'inizio: non può tornare in coda.
dead-erased = Il contenuto è stato cancellato: non può tornare in coda.
dead-redriven = Rimessi in coda
dead-unknown = negli ultimi { $count } giorni non c'è il record scartato { $id }
dead-redriven-before = è già tornato in coda il { $at }; se ha fallito di nuovo, compare come un altro record
dead-some-cannot = alcuni non possono tornare in coda
