"""The famous, and capitalised words that are no persons."""

from __future__ import annotations

FAMOUS = frozenset(
    name.strip()
    for name in """
albert einstein, isaac newton, charles darwin, marie curie, nikola tesla, thomas edison, stephen hawking, galileo galilei,
leonardo da vinci, william shakespeare, jane austen, charles dickens, mark twain, ernest hemingway, george orwell,
virginia woolf, emily dickinson, robert frost, edgar allan poe, oscar wilde, agatha christie, stephen king, jk rowling,
martin luther king, martin luther king jr, abraham lincoln, george washington, thomas jefferson, john adams, theodore roosevelt,
franklin roosevelt, franklin d. roosevelt, john f. kennedy, john kennedy, ronald reagan, richard nixon, jimmy carter,
bill clinton, hillary clinton, george bush, george w. bush, barack obama, michelle obama, donald trump, joe biden, kamala harris,
winston churchill, margaret thatcher, tony blair, boris johnson, theresa may, rishi sunak, angela merkel, emmanuel macron,
vladimir putin, justin trudeau, nelson mandela, mahatma gandhi, mother teresa, dalai lama, adolf hitler, joseph stalin,
napoleon bonaparte, julius caesar, marcus aurelius, karl marx, sigmund freud, carl jung, immanuel kant, friedrich nietzsche,
rené descartes, john locke, adam smith, john maynard keynes, milton friedman, bill gates, steve jobs, elon musk, jeff bezos,
mark zuckerberg, warren buffett, tim cook, sundar pichai, satya nadella, larry page, sergey brin, jack ma, henry ford, walt disney,
steven spielberg, george lucas, alfred hitchcock, quentin tarantino, christopher nolan, martin scorsese, tom hanks, tom cruise,
brad pitt, angelina jolie, leonardo dicaprio, johnny depp, robert de niro, al pacino, morgan freeman, meryl streep,
julia roberts, jennifer lawrence, emma watson, emma stone, taylor swift, michael jackson, elvis presley, john lennon,
paul mccartney, bob dylan, david bowie, freddie mercury, lady gaga, katy perry, justin bieber, kanye west, kim kardashian,
oprah winfrey, ellen degeneres, michael jordan, lebron james, kobe bryant, stephen curry, serena williams, venus williams, roger federer,
rafael nadal, novak djokovic, tiger woods, muhammad ali, mike tyson, usain bolt, michael phelps, lionel messi, diego maradona,
cristiano ronaldo, tom brady, babe ruth, jackie robinson, rosa parks, malcolm x, frederick douglass, harriet tubman,
susan b. anthony, amelia earhart, neil armstrong, buzz aldrin, yuri gagarin, alan turing, ada lovelace, grace hopper,
tim berners-lee, linus torvalds, guido van rossum, dennis ritchie, ken thompson, bjarne stroustrup, james gosling, donald knuth,
john von neumann, claude shannon, richard feynman, niels bohr, werner heisenberg, max planck, james watson, francis crick,
rosalind franklin, louis pasteur, alexander fleming, florence nightingale, jonas salk, vincent van gogh, pablo picasso,
claude monet, salvador dali, andy warhol, frida kahlo, johann sebastian bach, ludwig van beethoven, wolfgang amadeus mozart,
anne frank, helen keller, princess diana, queen elizabeth, prince harry, prince william, meghan markle, pope francis,
sherlock holmes, dr watson, john watson, harry potter, hermione granger, ron weasley, albus dumbledore, elizabeth bennet,
fitzwilliam darcy, jane eyre, jay gatsby, atticus finch, scout finch, holden caulfield, huckleberry finn, tom sawyer,
oliver twist, ebenezer scrooge, frodo baggins, bilbo baggins, luke skywalker, darth vader, han solo, indiana jones,
james bond, peter parker, bruce wayne, clark kent, tony stark, mickey mouse, donald duck, homer simpson, bart simpson,
mary poppins, peter pan, robin hood, king arthur, romeo montague, juliet capulet, alice wonderland, dr seuss, dr pepper, dr who,
john deere, johns hopkins, mary kay, ben jerry, johnson johnson, jack daniels, calvin klein, ralph lauren, tommy hilfiger,
betty crocker, uncle sam, uncle ben, santa claus, jesus christ, virgin mary, john doe, jane doe, joe bloggs, john q public,
greta thunberg, malala yousafzai, maya angelou, toni morrison, gabriel garcia marquez, leo tolstoy, fyodor dostoevsky,
anton chekhov, franz kafka, victor hugo, jules verne, mary shelley, bram stoker, arthur conan doyle, lewis carroll,
rudyard kipling, j.r.r. tolkien, c.s. lewis, roald dahl, anthony fauci, george floyd, edward snowden, julian assange
""".replace("\n", " ").split(",")
    if name.strip() not in {"john doe", "jane doe"}
)
PLACES = frozenset(
    """
afghanistan africa african alabama alaska algeria america american americans amsterdam antarctica arabia arabic argentina arizona arkansas
asia asian athens atlanta atlantic australia australian austria bangkok bangladesh barcelona beijing belgium berlin bible
boston brazil brazilian britain british brooklyn brussels bulgaria cairo california cambodia canada canadian caribbean celsius chicago
chile china chinese christmas colombia colorado columbia connecticut copenhagen costa croatia cuba dallas danish delaware delhi denmark
denver detroit dubai dublin dutch easter egypt egyptian england english ethiopia europe european fahrenheit finland florida france french
geneva german germany greece greek halloween hamburg hawaii hindi hong houston hungary iceland idaho illinois india indian indiana
indonesia iowa iran iraq ireland irish islam islamic israel istanbul italian italy jamaica japan japanese jerusalem jewish kansas
kentucky kenya kong korea korean latin london los louisiana madrid maine malaysia manhattan maryland massachusetts melbourne mexican mexico
miami michigan minnesota mississippi missouri montana moscow mumbai munich muslim nebraska nepal netherlands nevada nigeria
norway norwegian ohio oklahoma oregon oxford pakistan paris pennsylvania peru philippines poland polish portugal portuguese
prague puerto roman romania rome russia russian scotland scottish seattle seoul shanghai singapore slovakia spain spanish
stockholm sweden swedish swiss switzerland sydney taiwan tennessee texas thai thailand thanksgiving tokyo toronto turkey turkish ukraine utah
vancouver venezuela vermont vienna vietnam vietnamese virginia wales washington wisconsin wyoming york zealand zurich
google facebook microsoft apple amazon twitter instagram youtube netflix linkedin wikipedia python java javascript linux windows
android iphone ipad gmail outlook excel word powerpoint github openai chatgpt alexa siri tesla toyota honda samsung sony nike adidas
covid social security visa mastercard medicare medicaid street road avenue lane drive court place boulevard square hospital clinic university
college school institute department ministry corporation inc llc ltd company hotel restaurant museum church airport station county city state
north south east west northern southern eastern western central united states kingdom republic union international national federal
""".split()
)
"""Countries, cities, languages, firms, and words of institutions: no part of a person's name here."""
